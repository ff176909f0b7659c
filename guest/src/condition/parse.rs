//! Text to expression, by the grammar at the head of this module's parent.
//!
//! The grammar is predictive: one look ahead decides, nothing is tried and
//! taken back, so the first error is the one to report.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use winnow::LocatingSlice;
use winnow::Stateful;

use super::expr::{Expr, Part, Path, Relation, Step};
use super::input::{Input, Reading, SyntaxError, failure, offset};
use super::literal;
use super::root::{ERROR_FIELDS, Root, Roots};
use super::token::{Parsed, blank, eat, expect, found, is_word, rest, spaced, word, word_ahead};
use crate::limits::{CONDITION_BYTES_MAX, CONDITION_DEPTH_MAX};
use crate::resembling::{of_one_beginning, resembling};

/// Read a whole text as one expression over these roots.
pub(super) fn expression(text: &str, roots: Roots) -> Parsed<Expr> {
    let mut input = reading(text, roots);
    let expr = measured(&mut input)?;
    if rest(&input).is_empty() {
        return Ok(expr);
    }
    Err(unexpected(&input))
}

/// Read the expression that a text begins with, up to a closing brace, and tell
/// where the text goes on behind it.
pub(super) fn braced(text: &str, roots: Roots) -> Parsed<(Expr, usize)> {
    let mut input = reading(text, roots);
    let expr = measured(&mut input)?;
    match rest(&input).chars().next() {
        Some('}') => Ok((expr, offset(&input) + 1)),
        None => Err(failure(
            &input,
            "this `${` has no closing `}`; a literal `${` is written `$${`",
        )),
        Some(_) => Err(unexpected(&input)),
    }
}

fn reading(text: &str, roots: Roots) -> Input<'_> {
    Stateful {
        input: LocatingSlice::new(text),
        state: Reading { depth: 0, roots },
    }
}

/// An expression that is no longer than one may be.
fn measured(input: &mut Input<'_>) -> Parsed<Expr> {
    blank(input)?;
    let expr = choice(input)?;
    let bytes = offset(input);
    if bytes <= CONDITION_BYTES_MAX {
        return Ok(expr);
    }
    Err(SyntaxError {
        offset: 0,
        message: format!(
            "{bytes} bytes long, {CONDITION_BYTES_MAX} are allowed; compute it in a node and test the result"
        ),
    })
}

/// Why the expression ends before what comes next.
fn unexpected(input: &Input<'_>) -> SyntaxError {
    match rest(input).chars().next() {
        Some('=') => failure(input, "a single `=`; equality is written `==`"),
        Some('&' | '|') => failure(input, "and is written `&&`, or is written `||`"),
        Some('-' | '*' | '/' | '%') => failure(
            input,
            "there is no arithmetic here; a key with other characters is written state[\"a-b\"]",
        ),
        _ if has_word(input, "and") => failure(input, "and is written `&&`"),
        _ if has_word(input, "or") => failure(input, "or is written `||`"),
        Some(':') => failure(
            input,
            "a `:` without its `?`; a choice is written a ? b : c",
        ),
        _ => failure(
            input,
            format!("expected an operator or the end, found {}", found(input)),
        ),
    }
}

/// Whether this word comes next.
fn has_word(input: &Input<'_>, word: &str) -> bool {
    let behind = rest(input).strip_prefix(word);
    behind.is_some_and(|behind| !behind.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// `a ? b : c ? d : e` is `a ? b : (c ? d : e)`; it nests nothing, however long. As in
/// CEL, a choice within the middle stands in brackets.
fn choice(input: &mut Input<'_>) -> Parsed<Expr> {
    let mut last = disjunction(input)?;
    let mut chosen = Vec::new();
    while eat(input, "?")? {
        let then = disjunction(input)?;
        expect(input, ":")?;
        chosen.push((last, then));
        last = disjunction(input)?;
    }
    Ok(if chosen.is_empty() {
        last
    } else {
        Expr::Choose(chosen, Box::new(last))
    })
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
    let first = sum(input)?;
    let mut rest = Vec::new();
    while let Some(relation) = relation(input)? {
        rest.push((relation, sum(input)?));
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

fn sum(input: &mut Input<'_>) -> Parsed<Expr> {
    blank(input)?;
    let before = *input;
    let first = unary(input)?;
    if !rest(input).starts_with('+') {
        return Ok(first);
    }
    let mut parts = Vec::from([joinable(&before, first)?]);
    while eat(input, "+")? {
        let before = *input;
        let part = unary(input)?;
        parts.push(joinable(&before, part)?);
    }
    Ok(Expr::Sum(parts))
}

/// Refuses what is neither a text nor a list, whatever state and input are.
fn joinable(before: &Input<'_>, part: Expr) -> Parsed<Expr> {
    match part {
        Expr::Null
        | Expr::Bool(_)
        | Expr::Number(_)
        | Expr::Has(_)
        | Expr::Size(_)
        | Expr::Not(_)
        | Expr::Compare(..)
        | Expr::All(_)
        | Expr::Any(_)
        | Expr::Holds(..) => Err(failure(
            before,
            "there is no arithmetic here; `+` joins texts, or lists",
        )),
        Expr::Text(_)
        | Expr::List(_)
        | Expr::Path(_)
        | Expr::Steps(..)
        | Expr::Sum(_)
        | Expr::Choose(..) => Ok(part),
    }
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
            let before = *input;
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
                _ => {
                    if let Some(part) = Part::named(name).filter(|_| rest(input).starts_with('(')) {
                        let of = argument(input)?;
                        return Ok(Expr::Holds(Box::new(expr), part, Box::new(of)));
                    }
                    check_field(&before, &expr, name)?;
                    expr = step(expr, Step::Field(name.to_string()));
                }
            }
        } else if eat(input, "[")? {
            let before = *input;
            let at = nested(input, choice)?;
            expect(input, "]")?;
            if let Expr::Text(name) = &at {
                check_field(&before, &expr, name)?;
            }
            expr = step(expr, Step::At(at));
        } else {
            return Ok(expr);
        }
    }
}

/// The fields of a failure are always the same ones (rule R26), so that another name is
/// mistyped.
fn check_field(before: &Input<'_>, of: &Expr, name: &str) -> Parsed<()> {
    let is_root =
        matches!(of, Expr::Path(path) if path.root == Root::Error && path.steps.is_empty());
    if !is_root || ERROR_FIELDS.contains(&name) {
        return Ok(());
    }
    let meant = resembling(name, ERROR_FIELDS).or_else(|| of_one_beginning(name, ERROR_FIELDS));
    let meant = meant.map_or_else(Default::default, |meant| {
        format!("; did you mean `error.{meant}`?")
    });
    Err(failure(
        before,
        format!("`error` has the fields {}{meant}", ERROR_FIELDS.join(", ")),
    ))
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
            let expr = nested(input, choice)?;
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
            match Part::named(name) {
                Some(_) => format!("`{name}` is asked of a text: state.name.{name}(\"part\")"),
                None => format!("unknown function `{name}`; there are has() and size()"),
            },
        )),
        name => match Root::named(name).filter(|root| before.state.roots.hold(*root)) {
            Some(root) => Ok(Expr::Path(Path {
                root,
                steps: Vec::new(),
            })),
            None => Err(literal::unknown_word(&before, name)),
        },
    }
}
fn argument(input: &mut Input<'_>) -> Parsed<Expr> {
    expect(input, "(")?;
    let argument = nested(input, choice)?;
    expect(input, ")")?;
    Ok(argument)
}

/// Expressions up to the closing sign; CEL allows a comma before it.
fn comma_separated(input: &mut Input<'_>, close: &'static str) -> Parsed<Vec<Expr>> {
    let mut items = Vec::new();
    while !eat(input, close)? {
        items.push(choice(input)?);
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
