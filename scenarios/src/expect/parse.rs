//! The grammar of expectations: `[variant:] metric [/ metric] comparison value [± tolerance]`.

use std::ops::Range;

use winnow::ascii::{space0, space1};
use winnow::combinator::{alt, delimited, eof, opt, preceded, separated_pair};
use winnow::prelude::*;
use winnow::stream::LocatingSlice;
use winnow::token::take_while;

use crate::metric::Comparison;

/// A part of the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    /// Its bytes.
    pub(super) range: Range<usize>,
}

/// A metric as written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TermText<'a> {
    pub(super) path: Piece<'a>,
    /// What stands in parentheses behind `recovery`.
    pub(super) condition: Option<ConditionText<'a>>,
    pub(super) window: Option<(Piece<'a>, Piece<'a>)>,
}

/// `ok > 99%, after 130s`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ConditionText<'a> {
    pub(super) figure: Piece<'a>,
    pub(super) comparison: Comparison,
    pub(super) bound: Piece<'a>,
    pub(super) after: Piece<'a>,
}

/// An expectation as written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Written<'a> {
    pub(super) variant: Option<Piece<'a>>,
    pub(super) left: TermText<'a>,
    pub(super) below: Option<TermText<'a>>,
    pub(super) comparison: Comparison,
    pub(super) bound: Piece<'a>,
    pub(super) tolerance: Option<Piece<'a>>,
}

type Input<'a> = LocatingSlice<&'a str>;

/// The parts of an expectation.
///
/// # Errors
///
/// The byte at which the text stops to be one.
pub(super) fn parse(text: &str) -> Result<Written<'_>, usize> {
    written.parse(LocatingSlice::new(text)).map_err(|error| error.offset())
}

/// The parts of a metric that stands alone.
///
/// # Errors
///
/// The byte at which the text stops to be one.
pub(super) fn parse_metric(text: &str) -> Result<TermText<'_>, usize> {
    (term, eof).map(|(term, _)| term).parse(LocatingSlice::new(text)).map_err(|error| error.offset())
}

fn written<'a>(input: &mut Input<'a>) -> winnow::Result<Written<'a>> {
    let variant = opt((space0, name, space0, ':', ' ').map(|(_, name, ..)| name)).parse_next(input)?;
    let left = term.parse_next(input)?;
    let below = opt(preceded('/', term)).parse_next(input)?;
    let comparison = comparison.parse_next(input)?;
    let bound = value.parse_next(input)?;
    let tolerance = opt(preceded(alt(("±", "+-", "+/-")), value)).parse_next(input)?;
    eof.parse_next(input)?;
    Ok(Written { variant, left, below, comparison, bound, tolerance })
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

fn name<'a>(input: &mut Input<'a>) -> winnow::Result<Piece<'a>> {
    piece(take_while(1.., is_name)).parse_next(input)
}

/// `shoppers.p99`, `shoppers.failed:out_of_stock`, `users.ok[200s..600s]`, `users.recovery(ok > 99%, after 130s)`.
fn term<'a>(input: &mut Input<'a>) -> winnow::Result<TermText<'a>> {
    let range = separated_pair(instant, (space0, "..", space0), instant);
    let window = delimited(('[', space0), range, (space0, ']'));
    let condition = delimited('(', condition, ')');
    delimited(space0, (path, opt(condition), opt(window)), space0)
        .map(|(path, condition, window)| TermText { path, condition, window })
        .parse_next(input)
}

fn path<'a>(input: &mut Input<'a>) -> winnow::Result<Piece<'a>> {
    let word = || take_while(1.., |c: char| is_name(c) || c == '.');
    piece((word(), opt((':', word()))).take()).parse_next(input)
}

fn instant<'a>(input: &mut Input<'a>) -> winnow::Result<Piece<'a>> {
    // `1.5s` has a dot of its own; two of them separate.
    let digits = || take_while(1.., is_name);
    piece((digits(), opt(('.', digits()))).take()).parse_next(input)
}

fn condition<'a>(input: &mut Input<'a>) -> winnow::Result<ConditionText<'a>> {
    let figure = delimited(space0, path, space0).parse_next(input)?;
    let comparison = comparison.parse_next(input)?;
    let bound = value.parse_next(input)?;
    let after = delimited((',', space0, "after", space1), instant, space0).parse_next(input)?;
    Ok(ConditionText { figure, comparison, bound, after })
}

fn comparison(input: &mut Input<'_>) -> winnow::Result<Comparison> {
    alt((
        alt(("<=", "≤")).value(Comparison::AtMost),
        alt((">=", "≥")).value(Comparison::AtLeast),
        '<'.value(Comparison::Less),
        '>'.value(Comparison::Greater),
        alt(("==", "=")).value(Comparison::Equal),
    ))
    .parse_next(input)
}

/// A number with its unit: anything up to a tolerance or the end.
fn value<'a>(input: &mut Input<'a>) -> winnow::Result<Piece<'a>> {
    let number = take_while(1.., |c: char| c.is_alphanumeric() || ".%/µ-".contains(c));
    delimited(space0, piece(number), space0).parse_next(input)
}

fn piece<'a>(
    mut parser: impl Parser<Input<'a>, &'a str, winnow::error::ContextError>,
) -> impl Parser<Input<'a>, Piece<'a>, winnow::error::ContextError> {
    move |input: &mut Input<'a>| {
        let (text, range) = parser.by_ref().with_span().parse_next(input)?;
        Ok(Piece { text, range })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_the_language_are_understood() {
        let written = parse("shoppers.p99.9 < 250ms").unwrap();
        assert_eq!(written.left.path.text, "shoppers.p99.9");
        assert_eq!((written.comparison, written.bound.text), (Comparison::Less, "250ms"));
        assert_eq!(written.bound.range, 17..22);

        let written = parse("users.ok[200s..600s] >= 1%").unwrap();
        let (from, to) = written.left.window.unwrap();
        assert_eq!((from.text, to.text), ("200s", "600s"));

        let written = parse("users.ok[1.5s .. 2.5s] > 1%").unwrap();
        let (from, to) = written.left.window.unwrap();
        assert_eq!((from.text, to.text), ("1.5s", "2.5s"));

        let written = parse("fixed.users.p99 / broken.users.p99 < 0.2").unwrap();
        assert_eq!(written.below.unwrap().path.text, "broken.users.p99");

        let written = parse("fixed: users.recovery(p99 <= 1.5s, after 2.5s) < 100s").unwrap();
        assert_eq!(written.left.path.text, "users.recovery");
        let condition = written.left.condition.unwrap();
        assert_eq!((condition.figure.text, condition.comparison), ("p99", Comparison::AtMost));
        assert_eq!((condition.bound.text, condition.after.text), ("1.5s", "2.5s"));

        let written = parse("fixed: users.failed:gone = 1000/s ± 1%").unwrap();
        assert_eq!(written.variant.unwrap().text, "fixed");
        assert_eq!(written.left.path.text, "users.failed:gone");
        assert_eq!((written.bound.text, written.tolerance.unwrap().text), ("1000/s", "1%"));
    }

    #[test]
    fn the_place_of_a_mistake_is_known() {
        assert_eq!(parse("shoppers.p99 ~ 3ms"), Err(13));
        assert_eq!(parse("shoppers.p99 < "), Err(15));
        assert_eq!(parse("users.recovery(ok > 99%) < 100s"), Err(14));
        assert!(parse("").is_err());
    }
}
