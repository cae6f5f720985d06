//! The grammar of formulas over levels: `dead.level > 50 + 0.2 * rows.level`.

use models::blueprint::Compare;
use winnow::ascii::space0;
use winnow::combinator::{Infix, Prefix, alt, delimited, expression, not, opt, separated, terminated};
use winnow::error::ContextError;
use winnow::prelude::*;
use winnow::token::{one_of, take_while};

/// Longer formulas are refused: the parser calls itself for every parenthesis and every sign.
const LONGEST: usize = 500;

/// A formula as written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    /// A quantity: `50`, `20%`, `3GB`.
    Quantity(String),
    /// What is seen of a volume: `dead.level`.
    Path(String),
    /// `min(a, b)`.
    Function(String, Vec<Expression>),
    /// `-a`, `not a`.
    Unary(Unary, Box<Expression>),
    /// `a + b`.
    Binary(Binary, Box<Expression>, Box<Expression>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unary {
    Minus,
    Not,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Compare(Compare),
    And,
    Or,
}

/// Reads a formula; or tells at which byte it stops to be one.
pub(crate) fn parse(text: &str) -> Result<Expression, usize> {
    if let Some((at, _)) = text.char_indices().nth(LONGEST) {
        return Err(at);
    }
    delimited(space0, formula, space0).parse(text).map_err(|error| error.offset())
}

type Parsed<T> = Result<T, ContextError>;

/// How tightly operators bind.
mod power {
    pub(super) const OR: i64 = 1;
    pub(super) const AND: i64 = 2;
    pub(super) const NOT: i64 = 3;
    pub(super) const COMPARE: i64 = 4;
    pub(super) const SUM: i64 = 5;
    pub(super) const PRODUCT: i64 = 7;
    pub(super) const MINUS: i64 = 9;
}

/// Functions that join operands by an operator, in the form that the parser takes.
macro_rules! folds {
    ($($name:ident($($operand:ident),*) => $kind:ident($operator:expr);)*) => {
        $(fn $name(_: &mut &str, $($operand: Expression),*) -> Parsed<Expression> {
            Ok(Expression::$kind($operator, $(Box::new($operand)),*))
        })*
    };
}

folds! {
    add(a, b) => Binary(Binary::Add);
    subtract(a, b) => Binary(Binary::Subtract);
    multiply(a, b) => Binary(Binary::Multiply);
    divide(a, b) => Binary(Binary::Divide);
    and(a, b) => Binary(Binary::And);
    or(a, b) => Binary(Binary::Or);
    at_most(a, b) => Binary(Binary::Compare(Compare::AtMost));
    at_least(a, b) => Binary(Binary::Compare(Compare::AtLeast));
    less(a, b) => Binary(Binary::Compare(Compare::Less));
    greater(a, b) => Binary(Binary::Compare(Compare::Greater));
    equal(a, b) => Binary(Binary::Compare(Compare::Equal));
    minus(a) => Unary(Unary::Minus);
    negation(a) => Unary(Unary::Not);
}

fn formula(input: &mut &str) -> Parsed<Expression> {
    let compare = alt((
        symbol(&["<=", "≤"]).value(Infix::Neither(power::COMPARE, at_most)),
        symbol(&[">=", "≥"]).value(Infix::Neither(power::COMPARE, at_least)),
        symbol(&["==", "="]).value(Infix::Neither(power::COMPARE, equal)),
        symbol(&["<"]).value(Infix::Neither(power::COMPARE, less)),
        symbol(&[">"]).value(Infix::Neither(power::COMPARE, greater)),
    ));
    let infix = alt((
        compare,
        symbol(&["+"]).value(Infix::Left(power::SUM, add)),
        symbol(&["-"]).value(Infix::Left(power::SUM, subtract)),
        symbol(&["*"]).value(Infix::Left(power::PRODUCT, multiply)),
        symbol(&["/"]).value(Infix::Left(power::PRODUCT, divide)),
        word("and").value(Infix::Left(power::AND, and)),
        word("or").value(Infix::Left(power::OR, or)),
    ));
    let prefix = alt((
        symbol(&["-"]).value(Prefix(power::MINUS, minus)),
        word("not").value(Prefix(power::NOT, negation)),
    ));
    expression(operand).prefix(prefix).infix(infix).parse_next(input)
}

/// One of some ways to write an operator, and the space around it.
fn symbol<'s>(ways: &'static [&'static str]) -> impl Parser<&'s str, (), ContextError> {
    move |input: &mut &'s str| {
        let _ = space0.parse_next(input)?;
        let Some(way) = ways.iter().find(|way| input.starts_with(**way)) else {
            return Err(ContextError::new());
        };
        *input = &input[way.len()..];
        let _ = space0.parse_next(input)?;
        Ok(())
    }
}

/// A word that is an operator.
fn word<'s>(word: &'static str) -> impl Parser<&'s str, (), ContextError> {
    delimited(space0, terminated(word, not(one_of(is_name))), space0).void()
}

fn operand(input: &mut &str) -> Parsed<Expression> {
    let quantity = (one_of(|c: char| c.is_ascii_digit() || c == '.'), take_while(0.., is_quantity)).take();
    let first = one_of(|c: char| c.is_ascii_alphabetic() || c == '_');
    let name = (first, take_while(0.., |c| is_name(c) || c == '.')).take();
    let name = name.verify(|name: &str| !matches!(name, "and" | "or" | "not"));
    let brackets = |input: &mut &str| delimited(("(", space0), formula, (space0, ")")).parse_next(input);
    let arguments = delimited(("(", space0), separated(1.., formula, (space0, ",", space0)), (space0, ")"));
    let called =
        (name, opt(arguments)).map(|(name, arguments): (&str, Option<Vec<Expression>>)| match arguments {
            Some(arguments) => Expression::Function(name.to_owned(), arguments),
            None => Expression::Path(name.to_owned()),
        });
    alt((brackets, quantity.map(|text: &str| Expression::Quantity(text.to_owned())), called))
        .parse_next(input)
}

fn is_quantity(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '%' | '_')
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The formula with all of its parentheses.
    fn shown(expression: &Expression) -> String {
        match expression {
            Expression::Quantity(text) | Expression::Path(text) => text.clone(),
            Expression::Function(name, arguments) => {
                format!("{name}({})", arguments.iter().map(shown).collect::<Vec<_>>().join(", "))
            }
            Expression::Unary(operator, a) => format!("{operator:?}({})", shown(a)),
            Expression::Binary(operator, a, b) => format!("({} {operator:?} {})", shown(a), shown(b)),
        }
    }

    fn parsed(text: &str) -> String {
        parse(text).map_or_else(|at| format!("stops at {at}"), |expression| shown(&expression))
    }

    #[test]
    fn operators_bind_as_in_mathematics() {
        assert_eq!(
            parsed("dead.level > 50 + 0.2 * rows.level"),
            "(dead.level Compare(Greater) (50 Add (0.2 Multiply rows.level)))"
        );
        assert_eq!(parsed("a.level - 1 - 2"), "((a.level Subtract 1) Subtract 2)");
        assert_eq!(parsed("-a.level*2"), "(Minus(a.level) Multiply 2)");
        assert_eq!(parsed("(1+2)*3"), "((1 Add 2) Multiply 3)");
        assert_eq!(parsed("a.free<=20%"), "(a.free Compare(AtMost) 20%)");
        assert_eq!(parsed("a.used = 3GB"), "(a.used Compare(Equal) 3GB)");
        assert_eq!(
            parsed("not a.level > 1 and b.level < 2 or c.level ≥ 3"),
            "((Not((a.level Compare(Greater) 1)) And (b.level Compare(Less) 2)) Or (c.level Compare(AtLeast) 3))"
        );
        assert_eq!(parsed("max(1, log2(rows.level))"), "max(1, log2(rows.level))");
        assert_eq!(parsed("db-1.heap.level"), "db-1.heap.level");
        assert_eq!(parsed("notes.level or orders.level"), "(notes.level Or orders.level)");
    }

    #[test]
    fn what_is_no_formula_says_where() {
        for (text, at) in [("", 0), ("a.level >", 9), ("1 < 2 < 3", 6), ("(1", 0), ("1 $ 2", 2)] {
            assert_eq!(parsed(text), format!("stops at {at}"), "{text}");
        }
        assert!(parsed(&"(".repeat(100_000)).starts_with("stops"));
        assert!(parsed(&"-".repeat(100_000)).starts_with("stops"));
    }
}
