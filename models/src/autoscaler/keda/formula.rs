//! The formulas of KEDA's scaling modifiers.
//!
//! They are written in the expression language of expr-lang. Read here are numbers, triggers by name, arithmetic,
//! comparisons, logic, `?:`, `??`, lists, and the functions `float`, `int`, `abs`, `ceil`, `floor`, `round`, `min`,
//! `max`, `sum`, `mean`, `median`, `len`, and `count`, `any`, `all` and `filter` with a condition on `#`. Anything
//! else is refused when the formula is read, not when it is first used.
//!
//! Source: kedacore/keda, `pkg/scaling/modifiers/modifiers.go`; expr-lang/expr, `docs/language-definition.md`.

use std::collections::BTreeMap;

use thiserror::Error;

/// Deepest nesting of a formula.
const MAX_DEPTH: u32 = 64;
/// Longest formula in bytes; the chain `1 + 1 + ...` nests as deep as it is long.
const MAX_LENGTH: usize = 4096;

/// A formula over the values of triggers.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    text: Box<str>,
    root: Term,
}

/// What is wrong with a formula.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{what} at byte {at} of the formula")]
pub struct FormulaError {
    /// What is wrong.
    pub what: String,
    /// Where in the text.
    pub at: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Term {
    Number(f64),
    Bool(bool),
    Nil,
    Trigger(Box<str>),
    Element,
    List(Vec<Term>),
    Not(Box<Term>),
    Minus(Box<Term>),
    Two(Operator, Box<Term>, Box<Term>),
    If(Box<Term>, Box<Term>, Box<Term>),
    Call(Function, Vec<Term>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Or,
    And,
    Coalesce,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Float,
    Int,
    Abs,
    Ceil,
    Floor,
    Round,
    Min,
    Max,
    Sum,
    Mean,
    Median,
    Len,
    Count,
    Any,
    All,
    Filter,
}

impl Function {
    const ALL: [(&'static str, Self); 16] = [
        ("float", Self::Float),
        ("int", Self::Int),
        ("abs", Self::Abs),
        ("ceil", Self::Ceil),
        ("floor", Self::Floor),
        ("round", Self::Round),
        ("min", Self::Min),
        ("max", Self::Max),
        ("sum", Self::Sum),
        ("mean", Self::Mean),
        ("median", Self::Median),
        ("len", Self::Len),
        ("count", Self::Count),
        ("any", Self::Any),
        ("all", Self::All),
        ("filter", Self::Filter),
    ];

    fn takes_condition(self) -> bool {
        matches!(self, Self::Count | Self::Any | Self::All | Self::Filter)
    }
}

/// Binary operators, loosest first; those of one level are read from left to right, but for the last.
const LEVELS: [&[(&str, Operator)]; 7] = [
    &[("||", Operator::Or), ("or ", Operator::Or)],
    &[("&&", Operator::And), ("and ", Operator::And)],
    &[
        ("==", Operator::Equal),
        ("!=", Operator::Unequal),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::MoreOrEqual),
        ("<", Operator::Less),
        (">", Operator::More),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Remainder)],
    &[("**", Operator::Power), ("^", Operator::Power)],
    &[("??", Operator::Coalesce)],
];

/// A value while a formula is worked out.
#[derive(Clone, Debug, PartialEq)]
enum Worth {
    Nil,
    Bool(bool),
    Number(f64),
    List(Vec<Worth>),
}

/// Why a formula has no value: an operation that its values do not allow, such as a sum with a trigger that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the formula has no value: {0}")]
pub struct NoValue(&'static str);

impl Formula {
    /// Reads a formula.
    ///
    /// # Errors
    ///
    /// When it is not one, with the place.
    pub fn read(text: &str) -> Result<Self, FormulaError> {
        if text.len() > MAX_LENGTH {
            return Err(FormulaError { what: "it is too long".into(), at: MAX_LENGTH });
        }
        let mut reader = Reader { text, at: 0, depth: 0, in_condition: false };
        let root = reader.term()?;
        reader.skip();
        if reader.at < text.len() {
            return Err(reader.error("something is left over"));
        }
        Ok(Self { text: text.into(), root })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The triggers that it names, each once, in order of their names.
    pub fn triggers(&self) -> Vec<&str> {
        fn walk<'a>(term: &'a Term, names: &mut Vec<&'a str>) {
            match term {
                Term::Trigger(name) => names.push(name),
                Term::List(terms) | Term::Call(_, terms) => {
                    for term in terms {
                        walk(term, names);
                    }
                }
                Term::Not(term) | Term::Minus(term) => walk(term, names),
                Term::Two(_, left, right) => {
                    walk(left, names);
                    walk(right, names);
                }
                Term::If(condition, yes, no) => {
                    for term in [condition, yes, no] {
                        walk(term, names);
                    }
                }
                Term::Number(_) | Term::Bool(_) | Term::Nil | Term::Element => {}
            }
        }
        let mut names = Vec::new();
        walk(&self.root, &mut names);
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Its value, nothing where it comes to nothing.
    ///
    /// `values` holds a trigger's value, or nothing for one that failed.
    ///
    /// # Errors
    ///
    /// When the values do not allow an operation, or it comes to something other than a number.
    pub fn value(&self, values: &BTreeMap<Box<str>, Option<f64>>) -> Result<Option<f64>, NoValue> {
        match evaluate(&self.root, values, None)? {
            Worth::Nil => Ok(None),
            Worth::Number(value) => Ok(Some(value)),
            Worth::Bool(_) | Worth::List(_) => Err(NoValue("it is not a number")),
        }
    }
}

/// The composite metric in thousandths, cut; where the formula comes to nothing, what the fallback asks for.
///
/// # Errors
///
/// When the formula has no value and there is no fallback.
pub fn composite_milli(
    formula: &Formula,
    values: &BTreeMap<Box<str>, Option<f64>>,
    fallback_replicas: Option<i32>,
    target: Option<f64>,
) -> Result<i64, NoValue> {
    match formula.value(values)? {
        Some(value) => Ok((value * 1000.0) as i64),
        None => match (fallback_replicas, target) {
            (Some(replicas), Some(target)) => Ok((f64::from(replicas) * target * 1000.0) as i64),
            _ => Err(NoValue("all of its triggers failed")),
        },
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
    in_condition: bool,
}

impl Reader<'_> {
    fn error(&self, what: &str) -> FormulaError {
        FormulaError { what: what.into(), at: self.at }
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn takes(&mut self, token: &str) -> bool {
        self.skip();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), FormulaError> {
        if self.takes(token) { Ok(()) } else { Err(self.error(&format!("expected `{token}`"))) }
    }

    fn term(&mut self) -> Result<Term, FormulaError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error("it is nested too deep"));
        }
        let condition = self.binary(0)?;
        self.skip();
        let term = if self.rest().starts_with('?') && !self.rest().starts_with("??") {
            self.at += 1;
            let yes = self.term()?;
            self.expect(":")?;
            Term::If(Box::new(condition), Box::new(yes), Box::new(self.term()?))
        } else {
            condition
        };
        self.depth -= 1;
        Ok(term)
    }

    fn binary(&mut self, level: usize) -> Result<Term, FormulaError> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = self.operator(operators) {
            let power = operator == Operator::Power;
            let right = if power { self.binary(level)? } else { self.binary(level + 1)? };
            left = Term::Two(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn operator(&mut self, operators: &[(&str, Operator)]) -> Option<Operator> {
        self.skip();
        let rest = self.rest();
        let (token, operator) = operators.iter().find(|(token, _)| rest.starts_with(token))?;
        if *token == "*" && rest.starts_with("**") {
            return None;
        }
        self.at += token.len();
        Some(*operator)
    }

    fn unary(&mut self) -> Result<Term, FormulaError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error("it is nested too deep"));
        }
        let term = if self.takes("-") {
            Term::Minus(Box::new(self.unary()?))
        } else if self.takes("+") {
            self.unary()?
        } else if self.takes("not ") || (!self.rest().starts_with("!=") && self.takes("!")) {
            Term::Not(Box::new(self.unary()?))
        } else {
            self.primary()?
        };
        self.depth -= 1;
        Ok(term)
    }

    fn primary(&mut self) -> Result<Term, FormulaError> {
        if self.takes("(") {
            let term = self.term()?;
            self.expect(")")?;
            return Ok(term);
        }
        if self.takes("[") {
            return Ok(Term::List(self.list("]")?));
        }
        if self.in_condition && self.takes("#") {
            return Ok(Term::Element);
        }
        self.skip();
        let of = |is: fn(char) -> bool| self.rest().find(|c| !is(c)).unwrap_or(self.rest().len());
        let digits = of(|c| c.is_ascii_digit() || c == '.' || c == '_');
        if digits > 0 {
            return self.number(digits);
        }
        let length = of(|c| c.is_alphanumeric() || c == '_' || c == '$');
        if length == 0 {
            return Err(self.error("expected a number, a trigger or a function"));
        }
        let name: Box<str> = self.rest()[..length].into();
        let start = self.at;
        self.at += length;
        match &*name {
            "true" => return Ok(Term::Bool(true)),
            "false" => return Ok(Term::Bool(false)),
            "nil" => return Ok(Term::Nil),
            _ => {}
        }
        if !self.takes("(") {
            return Ok(Term::Trigger(name));
        }
        let Some((_, function)) = Function::ALL.iter().find(|(known, _)| *known == &*name) else {
            return Err(FormulaError { what: format!("there is no function `{name}`"), at: start });
        };
        Ok(Term::Call(*function, self.arguments(*function)?))
    }

    fn number(&mut self, digits: usize) -> Result<Term, FormulaError> {
        let mut length = digits;
        if let Some(exponent) = self.rest()[digits..].strip_prefix(['e', 'E']) {
            let sign = usize::from(exponent.starts_with(['+', '-']));
            let more = exponent[sign..].chars().take_while(char::is_ascii_digit).count();
            length += if more > 0 { 1 + sign + more } else { 0 };
        }
        let text = self.rest()[..length].replace('_', "");
        let number = text.parse().map_err(|_| self.error("expected a number"))?;
        self.at += length;
        Ok(Term::Number(number))
    }

    fn list(&mut self, end: &str) -> Result<Vec<Term>, FormulaError> {
        let mut terms = Vec::new();
        while !self.takes(end) {
            if !terms.is_empty() {
                self.expect(",")?;
            }
            terms.push(self.term()?);
        }
        Ok(terms)
    }

    fn arguments(&mut self, function: Function) -> Result<Vec<Term>, FormulaError> {
        if !function.takes_condition() {
            return self.list(")");
        }
        let list = self.term()?;
        self.expect(",")?;
        let braces = self.takes("{");
        let outer = std::mem::replace(&mut self.in_condition, true);
        let condition = self.term()?;
        self.in_condition = outer;
        if braces {
            self.expect("}")?;
        }
        self.expect(")")?;
        Ok(vec![list, condition])
    }
}

type Values = BTreeMap<Box<str>, Option<f64>>;

fn evaluate(term: &Term, values: &Values, element: Option<&Worth>) -> Result<Worth, NoValue> {
    let worth = |term: &Term| evaluate(term, values, element);
    Ok(match term {
        Term::Number(number) => Worth::Number(*number),
        Term::Bool(value) => Worth::Bool(*value),
        Term::Nil => Worth::Nil,
        Term::Trigger(name) => match values.get(name) {
            Some(Some(value)) => Worth::Number(*value),
            Some(None) => Worth::Nil,
            None => return Err(NoValue("it names a trigger that is not there")),
        },
        Term::Element => element.cloned().unwrap_or(Worth::Nil),
        Term::List(terms) => Worth::List(terms.iter().map(worth).collect::<Result<_, _>>()?),
        Term::Not(term) => Worth::Bool(!truth(&worth(term)?)?),
        Term::Minus(term) => Worth::Number(-number(&worth(term)?)?),
        Term::If(condition, yes, no) => {
            if truth(&worth(condition)?)? {
                worth(yes)?
            } else {
                worth(no)?
            }
        }
        Term::Two(Operator::Coalesce, left, right) => match worth(left)? {
            Worth::Nil => worth(right)?,
            found => found,
        },
        Term::Two(Operator::Or, left, right) => Worth::Bool(truth(&worth(left)?)? || truth(&worth(right)?)?),
        Term::Two(Operator::And, left, right) => Worth::Bool(truth(&worth(left)?)? && truth(&worth(right)?)?),
        Term::Two(operator, left, right) => combine(*operator, &worth(left)?, &worth(right)?)?,
        Term::Call(function, arguments) if function.takes_condition() => {
            let Worth::List(items) = worth(&arguments[0])? else {
                return Err(NoValue("expected a list"));
            };
            let mut kept = Vec::new();
            let all = items.len();
            for item in items {
                if truth(&evaluate(&arguments[1], values, Some(&item))?)? {
                    kept.push(item);
                }
            }
            match function {
                Function::Any => Worth::Bool(!kept.is_empty()),
                Function::All => Worth::Bool(kept.len() == all),
                Function::Filter => Worth::List(kept),
                _ => Worth::Number(kept.len() as f64),
            }
        }
        Term::Call(function, arguments) => {
            let mut numbers = Vec::new();
            for argument in arguments {
                match worth(argument)? {
                    Worth::List(items) => {
                        for item in &items {
                            numbers.push(number(item)?);
                        }
                    }
                    single => numbers.push(number(&single)?),
                }
            }
            Worth::Number(call(*function, numbers)?)
        }
    })
}

fn number(worth: &Worth) -> Result<f64, NoValue> {
    match worth {
        Worth::Number(number) => Ok(*number),
        _ => Err(NoValue("expected a number")),
    }
}

fn truth(worth: &Worth) -> Result<bool, NoValue> {
    match worth {
        Worth::Bool(value) => Ok(*value),
        _ => Err(NoValue("expected a condition")),
    }
}

fn combine(operator: Operator, left: &Worth, right: &Worth) -> Result<Worth, NoValue> {
    match operator {
        Operator::Equal => return Ok(Worth::Bool(left == right)),
        Operator::Unequal => return Ok(Worth::Bool(left != right)),
        _ => {}
    }
    let (left, right) = (number(left)?, number(right)?);
    Ok(match operator {
        Operator::Add => Worth::Number(left + right),
        Operator::Subtract => Worth::Number(left - right),
        Operator::Multiply => Worth::Number(left * right),
        Operator::Divide => Worth::Number(left / right),
        Operator::Remainder => Worth::Number(left % right),
        Operator::Power => Worth::Number(left.powf(right)),
        Operator::Less => Worth::Bool(left < right),
        Operator::LessOrEqual => Worth::Bool(left <= right),
        Operator::More => Worth::Bool(left > right),
        Operator::MoreOrEqual => Worth::Bool(left >= right),
        Operator::Or | Operator::And | Operator::Coalesce | Operator::Equal | Operator::Unequal => {
            unreachable!("{operator:?} has been dealt with")
        }
    })
}

fn call(function: Function, mut numbers: Vec<f64>) -> Result<f64, NoValue> {
    let one = |numbers: &[f64]| match numbers {
        [number] => Ok(*number),
        _ => Err(NoValue("a function takes one number")),
    };
    let some = |numbers: &[f64]| {
        if numbers.is_empty() { Err(NoValue("a function takes at least one number")) } else { Ok(()) }
    };
    Ok(match function {
        Function::Float => one(&numbers)?,
        Function::Int => one(&numbers)?.trunc(),
        Function::Abs => one(&numbers)?.abs(),
        Function::Ceil => one(&numbers)?.ceil(),
        Function::Floor => one(&numbers)?.floor(),
        Function::Round => one(&numbers)?.round(),
        Function::Sum => numbers.iter().sum(),
        Function::Len => numbers.len() as f64,
        Function::Min => {
            some(&numbers)?;
            numbers.iter().copied().fold(f64::INFINITY, f64::min)
        }
        Function::Max => {
            some(&numbers)?;
            numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max)
        }
        Function::Mean => {
            some(&numbers)?;
            numbers.iter().sum::<f64>() / numbers.len() as f64
        }
        Function::Median => {
            some(&numbers)?;
            numbers.sort_by(f64::total_cmp);
            let middle = numbers.len() / 2;
            if numbers.len() % 2 == 1 {
                numbers[middle]
            } else {
                f64::midpoint(numbers[middle - 1], numbers[middle])
            }
        }
        Function::Count | Function::Any | Function::All | Function::Filter => {
            unreachable!("{function:?} takes a condition")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, Option<f64>)]) -> Values {
        pairs.iter().map(|(name, value)| ((*name).into(), *value)).collect()
    }

    fn worked_out(text: &str) -> Option<f64> {
        let values = values(&[("a", Some(2.0)), ("b", Some(5.0)), ("gone", None)]);
        Formula::read(text).expect(text).value(&values).expect(text)
    }

    #[test]
    fn formulas_come_to_what_a_hand_computes() {
        for (text, expected) in [
            ("a + b * 2", 12.0),
            ("(a + b) * 2", 14.0),
            ("2 ** 3 ** 2", 512.0),
            ("-a + 3", 1.0),
            ("a - b - 1", -4.0),
            ("a > 1 ? b : 100", 5.0),
            ("a > 1 && b > 6 ? 1 : 2", 2.0),
            ("gone ?? a", 2.0),
            ("gone ?? nil ?? 7", 7.0),
            ("max([a, b, 3])", 5.0),
            ("count([a, b, 1], {# > 1})", 2.0),
            ("any([a, b], # >= 5) ? 1 : 0", 1.0),
            ("median(1, 9, a, b)", 3.5),
            ("1.5e1 % 4", 3.0),
            ("not (a == 2) or b != 5 ? 1 : 0", 0.0),
        ] {
            assert_eq!(worked_out(text), Some(expected), "{text}");
        }
        assert_eq!(worked_out("gone"), None);
    }

    #[test]
    fn a_sum_with_a_failed_trigger_has_no_value() {
        let formula = Formula::read("a + gone").expect("a formula");
        assert!(formula.value(&values(&[("a", Some(1.0)), ("gone", None)])).is_err());
        assert_eq!(formula.triggers(), ["a", "gone"]);
    }

    #[test]
    fn what_is_no_formula_is_refused_with_its_place() {
        for (text, at) in [("a +", 3), ("sqrt(4)", 0), ("(a", 2), ("a b", 2), ("count([a], {# > 1)", 17)] {
            assert_eq!(Formula::read(text).expect_err(text).at, at, "{text}");
        }
        assert!(Formula::read(&"(".repeat(100)).is_err());
        assert!(Formula::read(&"-".repeat(100)).is_err());
    }

    /// Everything failed: 6 replicas at a target of 2.5.
    #[test]
    fn a_formula_that_comes_to_nothing_falls_back() {
        let formula = Formula::read("gone").expect("a formula");
        let gone = values(&[("gone", None)]);
        assert_eq!(composite_milli(&formula, &gone, Some(6), Some(2.5)), Ok(15_000));
        assert!(composite_milli(&formula, &gone, None, Some(2.5)).is_err());
    }
}
