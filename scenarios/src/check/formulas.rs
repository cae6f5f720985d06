//! Formulas over levels: what they name, and what they are good for.

use models::blueprint::{Measure, Stock, VolumeId};
use models::formula::{Formula, MOST_PENDING, Term};

use super::Checker;
use crate::formula::{Binary, Expression, Unary, parse};
use crate::spec::{Amount, At, Spec, Text, any_quantity};
use crate::tree::{Node, quoted};

/// What a part of a formula is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    /// An amount of something, or a number.
    Number,
    /// `20%`: of the volume that it is compared with.
    Share,
    /// Something that holds or does not.
    Condition,
}

impl Checker<'_> {
    /// The condition `stock.level > 0` as a step of `service` means it.
    pub(super) fn condition(&mut self, service: &str, at: &At<Text>) -> Option<Formula> {
        const FORM: &str =
            "write `stock.level > 0`, `heap.free < 20%` or `dead.level > 50 + 0.2 * rows.level`";
        self.formula(service, at, Sort::Condition, FORM)
    }

    /// The number `0.2 * rows.level` as a step of `service` means it.
    pub(super) fn number(&mut self, service: &str, at: &At<Text>) -> Option<Formula> {
        const FORM: &str = "write a formula over levels: `rows.level`, `1 + dead.level / rows.level`";
        self.formula(service, at, Sort::Number, FORM)
    }

    fn formula(&mut self, service: &str, at: &At<Text>, wanted: Sort, form: &str) -> Option<Formula> {
        let text = at.value.0.as_str();
        let what = if wanted == Sort::Condition { "a condition on levels" } else { "a number" };
        let expression = match parse(text) {
            Ok(expression) => expression,
            Err(stop) => {
                let rest = text.get(stop..).unwrap_or_default().trim();
                let message = if rest.is_empty() {
                    format!("{} stops too early", quoted(text))
                } else {
                    format!("expected {what}, found {} in {}", quoted(rest), quoted(text))
                };
                let is_cut = text.matches('(').count() > text.matches(')').count();
                let cut = "put it in quotes: inside braces a comma ends a value";
                self.error(at.place, message, if is_cut { cut } else { form });
                return None;
            }
        };
        let mut writer = Writer { checker: self, service, at, terms: Vec::new() };
        let sort = writer.write(&expression)?;
        let terms = writer.terms;
        if (sort == Sort::Condition) != (wanted == Sort::Condition) {
            self.error(at.place, format!("expected {what}, found {}", quoted(text)), form);
            return None;
        }
        let formula = Formula::new(terms);
        if formula.is_none() {
            let message = format!("more than {MOST_PENDING} parts of the formula wait for each other");
            self.error(at.place, message, "use fewer parentheses");
        }
        formula
    }
}

/// Writes the terms of a formula, each behind its operands.
struct Writer<'w, 'c> {
    checker: &'w mut Checker<'c>,
    service: &'w str,
    at: &'w At<Text>,
    terms: Vec<Term>,
}

impl Writer<'_, '_> {
    fn error(&mut self, message: String, help: &str) {
        self.checker.error(self.at.place, message, help);
    }

    fn write(&mut self, expression: &Expression) -> Option<Sort> {
        match expression {
            Expression::Quantity(text) => self.quantity(text),
            Expression::Path(path) => {
                let (volume, measure) = self.path(path)?;
                self.terms.push(Term::Of(volume, measure));
                Some(Sort::Number)
            }
            Expression::Function(name, arguments) => self.function(name, arguments),
            Expression::Unary(Unary::Minus, a) => {
                self.write_as(a, Sort::Number)?;
                self.terms.push(Term::Minus);
                Some(Sort::Number)
            }
            Expression::Unary(Unary::Not, a) => {
                self.write_as(a, Sort::Condition)?;
                self.terms.push(Term::Not);
                Some(Sort::Condition)
            }
            Expression::Binary(operator, a, b) => self.binary(*operator, a, b),
        }
    }

    fn write_as(&mut self, expression: &Expression, wanted: Sort) -> Option<()> {
        let sort = self.write(expression)?;
        let is_number = |sort| sort != Sort::Condition;
        if is_number(sort) == is_number(wanted) {
            return Some(());
        }
        if wanted == Sort::Condition {
            self.error("a number neither holds nor does not".to_owned(), "compare it: `stock.level > 0`");
        } else {
            self.error(
                "a condition is no number".to_owned(),
                "compare numbers, and join conditions by `and`, `or`",
            );
        }
        None
    }

    fn quantity(&mut self, text: &str) -> Option<Sort> {
        let node = Node::plain(text, self.at.place);
        if let Some(("%", share)) = any_quantity(&node) {
            self.terms.push(Term::Number(share));
            return Some(Sort::Share);
        }
        self.terms.push(Term::Number(Amount::read(&node, self.checker.sink)?.units));
        Some(Sort::Number)
    }

    fn path(&mut self, path: &str) -> Option<(VolumeId, Measure)> {
        let (name, measure) = match path.rsplit_once('.') {
            Some((name, "level" | "free")) => (name, Measure::Level),
            Some((name, "used")) => (name, Measure::Used),
            Some((name, "size")) => (name, Measure::Size),
            _ => {
                let message = format!("expected the level of a volume, found {}", quoted(path));
                self.error(
                    message,
                    "write its `level` (or `free`), what is `used` of it, or its `size`: `stock.level`",
                );
                return None;
            }
        };
        let name = At { value: Text(name.into()), place: self.at.place };
        match self.checker.stock_named(self.service, &name)? {
            Stock::Volume(volume) => Some((volume, measure)),
            Stock::Rate(_) => {
                let message = format!("`{}` is a rate, which has no level", name.value.0);
                self.error(message, "a formula looks at a `volume`");
                None
            }
        }
    }

    fn function(&mut self, name: &str, arguments: &[Expression]) -> Option<Sort> {
        let (term, wanted) = match name {
            "min" => (Term::Min, 2),
            "max" => (Term::Max, 2),
            "log2" => (Term::Log2, 1),
            "sqrt" => (Term::Sqrt, 1),
            _ => {
                let help = "the functions are `min(a, b)`, `max(a, b)`, `log2(a)` and `sqrt(a)`";
                self.error(format!("there is no function {}", quoted(name)), help);
                return None;
            }
        };
        if arguments.len() != wanted {
            let message =
                format!("`{name}` takes {wanted} of what stands in parentheses, found {}", arguments.len());
            self.error(message, "separate them by commas");
            return None;
        }
        for argument in arguments {
            self.write_as(argument, Sort::Number)?;
        }
        self.terms.push(term);
        Some(Sort::Number)
    }

    fn binary(&mut self, operator: Binary, a: &Expression, b: &Expression) -> Option<Sort> {
        match operator {
            Binary::And | Binary::Or => {
                self.write_as(a, Sort::Condition)?;
                self.write_as(b, Sort::Condition)?;
                self.terms.push(if operator == Binary::And { Term::And } else { Term::Or });
                Some(Sort::Condition)
            }
            Binary::Compare(compare) => {
                self.compared(a, b)?;
                self.compared(b, a)?;
                self.terms.push(Term::Compare(compare));
                Some(Sort::Condition)
            }
            Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide => {
                self.write_as(a, Sort::Number)?;
                self.write_as(b, Sort::Number)?;
                self.terms.push(match operator {
                    Binary::Add => Term::Add,
                    Binary::Subtract => Term::Subtract,
                    Binary::Multiply => Term::Multiply,
                    _ => Term::Divide,
                });
                Some(Sort::Number)
            }
        }
    }

    /// One side of a comparison: a share is one of the volume on the other side.
    fn compared(&mut self, side: &Expression, other: &Expression) -> Option<()> {
        let is_share = matches!(side, Expression::Quantity(text) if text.ends_with('%'));
        self.write_as(side, Sort::Number)?;
        if let (true, Expression::Path(path)) = (is_share, other) {
            let (volume, _) = self.path(path)?;
            self.terms.extend([Term::Of(volume, Measure::Size), Term::Multiply]);
        }
        Some(())
    }
}
