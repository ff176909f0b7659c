//! JSON text to tokens, one after another, without copying.

use alloc::borrow::Cow;
use alloc::string::String;

/// One token. Texts and numbers are slices of what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    BeginObject,
    EndObject,
    BeginArray,
    EndArray,
    Comma,
    Colon,
    /// A text as it is written: with its quotes and escapes.
    Text(&'a str),
    /// A number as it is written.
    Number(&'a str),
    True,
    False,
    Null,
}

/// What the lexer could not read, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) offset: usize,
    pub(crate) message: &'static str,
}

/// Reads tokens; knows nothing of how they may follow one another.
#[derive(Clone, Debug)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// How many bytes have been read.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    /// Whether the next token is this sign, which is then read.
    pub(crate) fn takes(&mut self, sign: u8) -> bool {
        self.skip_blanks();
        self.eat(sign)
    }

    /// The next token and where it begins; None at the end.
    pub(crate) fn next_token(&mut self) -> Result<Option<(usize, Token<'a>)>, Unreadable> {
        self.skip_blanks();
        let start = self.at;
        let Some(first) = self.peek() else {
            return Ok(None);
        };
        let token = match first {
            b'{' => self.single(Token::BeginObject),
            b'}' => self.single(Token::EndObject),
            b'[' => self.single(Token::BeginArray),
            b']' => self.single(Token::EndArray),
            b',' => self.single(Token::Comma),
            b':' => self.single(Token::Colon),
            b'"' => self.quoted()?,
            b'-' | b'0'..=b'9' => self.number()?,
            _ => self.word()?,
        };
        Ok(Some((start, token)))
    }

    fn single(&mut self, token: Token<'a>) -> Token<'a> {
        self.at += 1;
        token
    }

    fn word(&mut self) -> Result<Token<'a>, Unreadable> {
        let rest = &self.text[self.at..];
        for (word, token) in [
            ("true", Token::True),
            ("false", Token::False),
            ("null", Token::Null),
        ] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(token);
            }
        }
        Err(self.unreadable("expected a JSON value"))
    }

    fn number(&mut self) -> Result<Token<'a>, Unreadable> {
        let start = self.at;
        self.eat(b'-');
        if self.eat(b'0') {
            if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return Err(self.unreadable("a number may not begin with 0"));
            }
        } else {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _signed = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Ok(Token::Number(&self.text[start..self.at]))
    }

    fn digits(&mut self) -> Result<(), Unreadable> {
        let start = self.at;
        self.skip(|byte| byte.is_ascii_digit());
        if self.at == start {
            return Err(self.unreadable("expected a digit"));
        }
        Ok(())
    }

    fn quoted(&mut self) -> Result<Token<'a>, Unreadable> {
        let start = self.at;
        self.at += 1;
        loop {
            self.skip(|byte| byte >= b' ' && byte != b'"' && byte != b'\\');
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(_) => {
                    return Err(self.unreadable("a control character in a text must be escaped"));
                }
                None => return Err(self.unreadable("a text has no closing quote")),
            }
        }
        self.at += 1;
        Ok(Token::Text(&self.text[start..self.at]))
    }

    fn escape(&mut self) -> Result<(), Unreadable> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => self.unicode_escape(),
            _ => Err(self.unreadable("unknown escape in a text")),
        }
    }

    /// `uXXXX`, or two of them where the first is the high half of a pair: a
    /// lone half is no character, and nothing after us could decode it.
    fn unicode_escape(&mut self) -> Result<(), Unreadable> {
        const LONE: &str = "half of a surrogate pair is no character";
        match self.four_hex_digits()? {
            0xD800..0xDC00 => {
                if !(self.eat(b'\\') && self.peek() == Some(b'u')) {
                    return Err(self.unreadable(LONE));
                }
                match self.four_hex_digits()? {
                    0xDC00..0xE000 => Ok(()),
                    _ => Err(self.unreadable(LONE)),
                }
            }
            0xDC00..0xE000 => Err(self.unreadable(LONE)),
            _ => Ok(()),
        }
    }

    fn four_hex_digits(&mut self) -> Result<u32, Unreadable> {
        self.at += 1;
        let digits = self.text.as_bytes().get(self.at..self.at + 4);
        let value = digits.and_then(|digits| {
            digits.iter().try_fold(0, |value, &byte| {
                Some(value << 4 | char::from(byte).to_digit(16)?)
            })
        });
        let value = value.ok_or_else(|| self.unreadable("expected four hexadecimal digits"))?;
        self.at += 4;
        Ok(value)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_blanks(&mut self) {
        self.skip(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    fn skip(&mut self, wanted: impl Fn(u8) -> bool) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest
            .iter()
            .position(|&byte| !wanted(byte))
            .unwrap_or(rest.len());
    }

    fn unreadable(&self, message: &'static str) -> Unreadable {
        Unreadable {
            offset: self.at,
            message,
        }
    }
}

/// What a text token says, without its quotes and escapes.
pub(crate) fn decode_text(token: &str) -> Cow<'_, str> {
    if token.contains('\\') {
        let decoded: Result<String, _> = serde_json::from_str(token);
        Cow::Owned(decoded.expect("a text token decodes: the lexer refuses bad escapes"))
    } else {
        Cow::Borrowed(&token[1..token.len() - 1])
    }
}
