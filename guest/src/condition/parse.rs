//! Text to expression, by the grammar at the head of this module's parent.
//!
//! The grammar is predictive: one look ahead decides, nothing is tried and
//! taken back, so the first error is the one to report.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use winnow::LocatingSlice;
use winnow::Stateful;
use winnow::combinator::opt;
use winnow::prelude::*;
use winnow::token::take_while;

use super::expr::{Expr, Path, Relation, Root, Step};
use super::input::{Context, Input, SyntaxError, failure};
use super::literal;
use crate::limits::{CONDITION_BYTES_MAX, CONDITION_DEPTH_MAX};

type Parsed<T> = Result<T, SyntaxError>;

/// Read a whole text as one expression, which may read `item` and `index` if it is
/// `of_instance`.
pub(super) fn expression(text: &str, of_instance: bool) -> Parsed<Expr> {
    if text.len() > CONDITION_BYTES_MAX {
        return Err(SyntaxError {
            offset: CONDITION_BYTES_MAX,
            message: format!(
                "{} bytes long, {CONDITION_BYTES_MAX} are allowed; compute it in a node and test the result",
                text.len()
            ),
        });
    }
    let mut input = Stateful {
        input: LocatingSlice::new(text),
        state: Context {
            depth: 0,
            of_instance,
        },
    };
    let expr = disjunction(&mut input)?;
    match rest(&input).chars().next() {
        None => Ok(expr),
        Some('=') => Err(failure(&input, "a single `=`; equality is written `==`")),
        Some('&' | '|') => Err(failure(&input, "and is written `&&`, or is written `||`")),
        Some('+' | '-' | '*' | '/' | '%' | '?') => Err(failure(
            &input,
            "there is no arithmetic here; a key with other characters is written state[\"a-b\"]",
        )),
        Some(_) => Err(failure(
            &input,
            format!("expected an operator or the end, found {}", found(&input)),
        )),
    }
}

fn disjunction(input: &mut Input<'_>) -> Parsed<Expr> {
    chain(input, "||", conjunction, Expr::Any)
}

fn conjunction(input: &mut Input<'_>) -> Parsed<Expr> {
    chain(input, "&&", comparison, Expr::All)
}

fn chain(
    input: &mut Input<'_>,
    operator: &'static str,
    part: fn(&mut Input<'_>) -> Parsed<Expr>,
    join: fn(Vec<Expr>) -> Expr,
) -> Parsed<Expr> {
    let first = part(input)?;
    if !eat(input, operator)? {
        return Ok(first);
    }
    let mut parts = Vec::from([first, part(input)?]);
    while eat(input, operator)? {
        parts.push(part(input)?);
    }
    Ok(join(parts))
}

fn comparison(input: &mut Input<'_>) -> Parsed<Expr> {
    let first = unary(input)?;
    let mut rest = Vec::new();
    while let Some(relation) = relation(input)? {
        rest.push((relation, unary(input)?));
    }
    Ok(if rest.is_empty() {
        first
    } else {
        Expr::Compare(Box::new(first), rest)
    })
}

fn relation(input: &mut Input<'_>) -> Parsed<Option<Relation>> {
    const SIGNS: [(&str, Relation); 6] = [
        ("==", Relation::Equal),
        ("!=", Relation::Unequal),
        ("<=", Relation::AtMost),
        (">=", Relation::AtLeast),
        ("<", Relation::Less),
        (">", Relation::Greater),
    ];
    for (sign, relation) in SIGNS {
        if eat(input, sign)? {
            return Ok(Some(relation));
        }
    }
    if word_ahead(input) == "in" {
        eat(input, "in")?;
        return Ok(Some(Relation::In));
    }
    Ok(None)
}

fn unary(input: &mut Input<'_>) -> Parsed<Expr> {
    blank(input)?;
    if !eat(input, "!")? {
        return postfix(input);
    }
    nested(input, |input| Ok(Expr::Not(Box::new(unary(input)?))))
}

fn postfix(input: &mut Input<'_>) -> Parsed<Expr> {
    let mut expr = primary(input)?;
    loop {
        if eat(input, ".")? {
            let name = word(input)?;
            match name {
                "" => {
                    return Err(failure(
                        input,
                        format!("expected a name after the dot, found {}", found(input)),
                    ));
                }
                // A number has no fields: nothing can follow, so nothing can nest.
                "size" if eat(input, "(")? => {
                    expect(input, ")")?;
                    return Ok(Expr::Size(Box::new(expr)));
                }
                _ => expr = step(expr, Step::Field(name.to_string())),
            }
        } else if eat(input, "[")? {
            let at = nested(input, disjunction)?;
            expect(input, "]")?;
            expr = step(expr, Step::At(at));
        } else {
            return Ok(expr);
        }
    }
}

fn step(expr: Expr, step: Step) -> Expr {
    match expr {
        Expr::Path(mut path) => {
            path.steps.push(step);
            Expr::Path(path)
        }
        Expr::Steps(base, mut steps) => {
            steps.push(step);
            Expr::Steps(base, steps)
        }
        base => Expr::Steps(Box::new(base), Vec::from([step])),
    }
}

fn primary(input: &mut Input<'_>) -> Parsed<Expr> {
    match rest(input).chars().next() {
        Some('"' | '\'') => spaced(input, literal::text).map(Expr::Text),
        Some('0'..='9' | '-') => {
            spaced(input, literal::number).map(|text| Expr::Number(text.to_string()))
        }
        Some('(') => {
            expect(input, "(")?;
            let expr = nested(input, disjunction)?;
            expect(input, ")")?;
            Ok(expr)
        }
        Some('[') => {
            expect(input, "[")?;
            nested(input, |input| comma_separated(input, "]")).map(Expr::List)
        }
        Some(c) if is_word(c) => named(input),
        _ => Err(failure(
            input,
            format!(
                "expected a path such as state.name, a literal, a list or (…), found {}",
                found(input)
            ),
        )),
    }
}

fn named(input: &mut Input<'_>) -> Parsed<Expr> {
    let before = *input;
    match word(input)? {
        "null" => Ok(Expr::Null),
        "true" => Ok(Expr::Bool(true)),
        "false" => Ok(Expr::Bool(false)),
        "state" => Ok(root(Root::State)),
        "input" => Ok(root(Root::Input)),
        "item" if input.state.of_instance => Ok(root(Root::Item)),
        "index" if input.state.of_instance => Ok(root(Root::Index)),
        "size" => {
            let of = argument(input)?;
            Ok(Expr::Size(Box::new(of)))
        }
        "has" => match argument(input)? {
            Expr::Path(path) if !path.steps.is_empty() => Ok(Expr::Has(path)),
            _ => Err(failure(
                &before,
                "has() takes a path, such as has(state.name)",
            )),
        },
        name if rest(input).starts_with('(') => Err(failure(
            &before,
            format!("unknown function `{name}`; there are has() and size()"),
        )),
        name => Err(literal::unknown_word(&before, name)),
    }
}

fn root(root: Root) -> Expr {
    Expr::Path(Path {
        root,
        steps: Vec::new(),
    })
}

fn argument(input: &mut Input<'_>) -> Parsed<Expr> {
    expect(input, "(")?;
    let argument = nested(input, disjunction)?;
    expect(input, ")")?;
    Ok(argument)
}

/// Expressions up to the closing sign; CEL allows a comma before it.
fn comma_separated(input: &mut Input<'_>, close: &'static str) -> Parsed<Vec<Expr>> {
    let mut items = Vec::new();
    while !eat(input, close)? {
        items.push(disjunction(input)?);
        if !eat(input, ",")? {
            expect(input, close)?;
            break;
        }
    }
    Ok(items)
}

/// Whatever recurses goes through here.
fn nested<T>(input: &mut Input<'_>, part: impl FnOnce(&mut Input<'_>) -> Parsed<T>) -> Parsed<T> {
    input.state.depth += 1;
    if input.state.depth > CONDITION_DEPTH_MAX {
        return Err(failure(
            input,
            format!(
                "nested deeper than {CONDITION_DEPTH_MAX} levels; compute it in a node and test the result"
            ),
        ));
    }
    let inner = part(input)?;
    input.state.depth -= 1;
    Ok(inner)
}

fn spaced<'a, T>(input: &mut Input<'a>, token: fn(&mut Input<'a>) -> Parsed<T>) -> Parsed<T> {
    let token = token(input)?;
    blank(input)?;
    Ok(token)
}

fn blank(input: &mut Input<'_>) -> Parsed<()> {
    take_while(0.., [' ', '\t', '\n', '\r'])
        .void()
        .parse_next(input)
}

/// Take a sign and the blanks after it, if it stands here.
fn eat(input: &mut Input<'_>, sign: &'static str) -> Parsed<bool> {
    let found = opt(sign).parse_next(input)?.is_some();
    blank(input)?;
    Ok(found)
}

fn expect(input: &mut Input<'_>, sign: &'static str) -> Parsed<()> {
    if eat(input, sign)? {
        return Ok(());
    }
    Err(failure(
        input,
        format!("expected `{sign}`, found {}", found(input)),
    ))
}

fn word<'a>(input: &mut Input<'a>) -> Parsed<&'a str> {
    spaced(input, |input| take_while(0.., is_word).parse_next(input))
}

fn word_ahead<'a>(input: &Input<'a>) -> &'a str {
    let rest = rest(input);
    rest.split(|c| !is_word(c)).next().unwrap_or(rest)
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

fn found(input: &Input<'_>) -> String {
    match (word_ahead(input), rest(input).chars().next()) {
        ("", None) => "the end".to_string(),
        ("", Some(c)) => format!("`{c}`"),
        (word, _) => format!("`{word}`"),
    }
}

fn rest<'a>(input: &Input<'a>) -> &'a str {
    input.input.as_ref()
}
