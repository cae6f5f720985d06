//! Tables whose numbers align at the decimal point and whose units align behind them.

use super::figure::grouped;

/// A cell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    /// Nothing.
    Empty,
    /// Text, flush left.
    Text(String),
    /// Text over the whole width, alone in its row.
    Span(String),
    /// A word in a column of numbers, flush right.
    Word(String),
    /// A number, aligned at its point, and its unit.
    Number {
        /// `149.7`, `± 0.12`.
        digits: String,
        /// `ms`, or nothing.
        unit: String,
    },
}

impl Cell {
    /// A count.
    pub(crate) fn count(number: u64) -> Self {
        Self::Number { digits: grouped(number), unit: String::new() }
    }

    /// A dash where there is nothing to say.
    pub(crate) fn none() -> Self {
        Self::Word("-".to_owned())
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// A column's head and what may happen to it.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    head: String,
    left: bool,
    /// Whether it is cut in the middle when the page is too narrow.
    shrinks: bool,
    /// Whether what does not fit stands on a line of its own instead.
    whole: bool,
}

impl Column {
    /// Names: flush left, cut in the middle where the page is too narrow.
    pub(crate) fn name(head: &str) -> Self {
        Self { head: head.to_owned(), left: true, shrinks: true, whole: false }
    }

    /// Names that are never cut: one that does not fit stands on a line of its own.
    pub(crate) fn whole_name(head: &str) -> Self {
        Self { whole: true, ..Self::name(head) }
    }

    /// Least width to which it shrinks. Whole names that do not fit stand above their rows: a short head is enough.
    fn narrowest(&self) -> usize {
        if self.whole { length(&self.head).min(NARROWEST) } else { NARROWEST }
    }

    /// Text, flush left.
    pub(crate) fn text(head: &str) -> Self {
        Self { head: head.to_owned(), left: true, shrinks: false, whole: false }
    }

    /// Numbers.
    pub(crate) fn number(head: &str) -> Self {
        Self { head: head.to_owned(), left: false, shrinks: false, whole: false }
    }
}

/// Least width to which a column of names shrinks that are cut.
const NARROWEST: usize = 14;
/// Blanks between columns.
const GAP: usize = 2;

/// A table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(crate) fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Whether it has no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines of the table. Columns in which no row says anything are left out.
    pub(crate) fn lines(&self, width: usize) -> Vec<String> {
        let said = |column: &usize| {
            let silent = |cell: Option<&Cell>| {
                matches!(cell, None | Some(Cell::Empty)) || *cell.unwrap_or(&Cell::Empty) == Cell::none()
            };
            *column == 0 || self.rows.iter().any(|row| !silent(row.get(*column)))
        };
        let shown: Vec<usize> = (0..self.columns.len()).filter(said).collect();
        let shapes: Vec<Shape> = shown.iter().map(|column| self.shape(*column)).collect();
        let widths = self.widths(&shown, &shapes, width);
        let head: Vec<String> = shown
            .iter()
            .zip(&widths)
            .map(|(column, width)| {
                let column = &self.columns[*column];
                if column.left { pad_right(&column.head, *width) } else { pad_left(&column.head, *width) }
            })
            .collect();
        let mut lines = vec![joined(&head)];
        for row in &self.rows {
            if let [Cell::Span(text)] = row.as_slice() {
                lines.push(shortened(text, width));
                continue;
            }
            let mut row = row.clone();
            if let (Some(Cell::Text(name)), Some(width_of_names)) = (row.first(), widths.first())
                && self.stands_alone(name, *width_of_names)
            {
                lines.push(shortened(name, width));
                row[0] = Cell::Empty;
            }
            let cells = shown.iter().zip(&shapes).zip(&widths).map(|((column, shape), width)| {
                shape.draw(row.get(*column).unwrap_or(&Cell::Empty), self.columns[*column].left, *width)
            });
            lines.push(joined(&cells.collect::<Vec<_>>()));
        }
        lines
    }

    /// Whether the name stands on a line of its own: it would be cut, and is to be whole or looks like another then.
    fn stands_alone(&self, name: &str, width: usize) -> bool {
        let short = shortened(name, width);
        let like = |other: &Cell| matches!(other, Cell::Text(other) if other != name && shortened(other, width) == short);
        short != name && (self.columns[0].whole || self.rows.iter().filter_map(|row| row.first()).any(like))
    }

    fn shape(&self, column: usize) -> Shape {
        let mut shape = Shape::default();
        for cell in self.rows.iter().filter_map(|row| row.get(column)) {
            match cell {
                Cell::Empty | Cell::Span(_) => {}
                Cell::Text(text) | Cell::Word(text) => shape.text = shape.text.max(length(text)),
                Cell::Number { digits, unit } => {
                    let (whole, fraction) = split(digits);
                    shape.whole = shape.whole.max(length(whole));
                    shape.fraction = shape.fraction.max(length(fraction));
                    shape.unit = shape.unit.max(length(unit));
                }
            }
        }
        shape
    }

    fn widths(&self, shown: &[usize], shapes: &[Shape], page: usize) -> Vec<usize> {
        let columns = || shown.iter().map(|column| &self.columns[*column]);
        let mut widths: Vec<usize> =
            columns().zip(shapes).map(|(column, shape)| shape.width().max(length(&column.head))).collect();
        let whole = |widths: &[usize]| widths.iter().sum::<usize>() + GAP * (widths.len().saturating_sub(1));
        while whole(&widths) > page {
            let widest = columns()
                .enumerate()
                .filter(|(at, column)| column.shrinks && widths[*at] > column.narrowest())
                .max_by_key(|(at, _)| widths[*at]);
            let Some((at, _)) = widest else { break };
            widths[at] -= 1;
        }
        widths
    }
}

/// Widths of what a column holds.
#[derive(Clone, Copy, Debug, Default)]
struct Shape {
    text: usize,
    whole: usize,
    fraction: usize,
    unit: usize,
}

impl Shape {
    fn number(self) -> usize {
        self.whole + self.fraction + if self.unit > 0 { 1 + self.unit } else { 0 }
    }

    fn width(self) -> usize {
        self.text.max(self.number())
    }

    fn draw(self, cell: &Cell, left: bool, width: usize) -> String {
        match cell {
            Cell::Empty | Cell::Span(_) => " ".repeat(width),
            Cell::Text(text) if left => pad_right(&shortened(text, width), width),
            Cell::Text(text) | Cell::Word(text) => pad_left(text, width),
            Cell::Number { digits, unit } => {
                let (whole, fraction) = split(digits);
                let mut text = pad_left(whole, self.whole);
                text.push_str(&pad_right(fraction, self.fraction));
                if self.unit > 0 {
                    text.push(' ');
                    text.push_str(&pad_right(unit, self.unit));
                }
                pad_left(&text, width)
            }
        }
    }
}

/// What stands before the decimal point, and the rest.
fn split(digits: &str) -> (&str, &str) {
    digits.find('.').map_or((digits, ""), |point| digits.split_at(point))
}

fn joined(cells: &[String]) -> String {
    cells.join(&" ".repeat(GAP)).trim_end().to_owned()
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn pad_left(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(length(text))))
}

fn pad_right(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(length(text))))
}

/// `text`, its middle replaced by `…` where it is too long: both ends of a name tell most.
pub(crate) fn shortened(text: &str, width: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(1);
    let front = kept.div_ceil(2);
    let back = kept - front;
    chars[..front].iter().chain(['…'].iter()).chain(&chars[chars.len() - back..]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Unit;

    #[test]
    fn numbers_align_at_the_point_and_names_are_cut_in_the_middle() {
        let mut table = Table::new([Column::name("Traffic"), Column::number("mean"), Column::number("p99")]);
        table.row([
            "shoppers_with_a_long_name_that_does_not_fit".into(),
            Unit::Seconds.cell(0.061_9),
            Unit::Seconds.cell(1.5),
        ]);
        table.row(["bots".into(), Unit::Seconds.cell(0.000_5), Cell::none()]);
        assert_eq!(
            table.lines(40),
            [
                "Traffic                      mean    p99",
                "shoppers_wi…oes_not_fit   61.9 ms  1.5 s",
                "bots                     500   µs      -",
            ]
        );
        assert!(table.lines(40).iter().all(|line| line.chars().count() <= 40), "{:#?}", table.lines(40));
    }

    #[test]
    fn whole_names_leave_no_more_room_than_their_head_needs() {
        let mut table =
            Table::new([Column::whole_name("Path"), Column::number("mean"), Column::number("p99")]);
        table.row(["services.web".into(), Unit::Seconds.cell(0.061_9), Unit::Seconds.cell(1.5)]);
        assert_eq!(table.lines(22), ["Path       mean    p99", "services.web", "        61.9 ms  1.5 s"]);
    }

    #[test]
    fn names_that_would_look_the_same_have_a_line_of_their_own() {
        let heads = ["mean", "p50", "p90", "p99"];
        let mut table = Table::new([Column::name("Metric")].into_iter().chain(heads.map(Column::number)));
        let names =
            ["shoppers.classes.gold_customers.p99", "shoppers.classes.bulk_customers.p99", "shoppers.p99"];
        for name in names {
            table.row([name.into()].into_iter().chain([1, 2, 3, 4].map(Cell::count)));
        }
        let figures = "   1    2    3    4";
        let below = format!("{:23}  {figures}", "");
        assert_eq!(
            table.lines(44)[1..],
            [names[0], &below, names[1], &below, &format!("{:23}  {figures}", names[2])]
        );
        assert_eq!(table.lines(80)[1], format!("{:35}  {figures}", names[0]));
    }

    #[test]
    fn columns_that_say_nothing_are_left_out() {
        let mut table = Table::new([Column::name("a"), Column::number("b"), Column::number("c")]);
        table.row(["x".into(), Cell::none(), Cell::count(1)]);
        assert_eq!(table.lines(80), ["a  c", "x  1"]);
    }

    #[test]
    fn both_ends_of_a_name_stay() {
        assert_eq!(shortened("abcdefghij", 10), "abcdefghij");
        assert_eq!(shortened("abcdefghij", 7), "abc…hij");
        assert_eq!(shortened("abcdefghij", 6), "abc…ij");
    }
}
