//! A page of text: headings, paragraphs, lists and tables of limited width.

use scenarios::results::Head;

use super::table::Table;

/// Width where there is no terminal, and the least of all.
const WIDTH: usize = 80;

/// Text that grows from top to bottom.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    text: String,
    width: usize,
}

impl Page {
    /// An empty page, at least 80 columns wide.
    pub(crate) fn new(width: usize) -> Self {
        Self { text: String::new(), width: width.clamp(WIDTH, 2 * WIDTH) }
    }

    /// The text.
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// An empty line, except at the top.
    pub(crate) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// A line as it is.
    pub(crate) fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// What was run.
    pub(crate) fn head(&mut self, head: &Head) {
        let variant = head.variant.as_ref().map(|variant| format!(", variant {variant}"));
        self.title(&(head.scenario.clone() + &variant.unwrap_or_default()), head.about.as_deref());
    }

    /// A name, and what it is about.
    pub(crate) fn title(&mut self, name: &str, about: Option<&str>) {
        match about {
            Some(about) => self.prose(&format!("{name}: {about}")),
            None => self.prose(name),
        }
    }

    /// A paragraph, wrapped.
    pub(crate) fn prose(&mut self, text: &str) {
        self.hanging("", "", text);
    }

    /// An indented paragraph, wrapped.
    pub(crate) fn item(&mut self, text: &str) {
        self.hanging("  ", "  ", text);
    }

    /// A paragraph whose first line begins with `first` and all others with `next`.
    pub(crate) fn hanging(&mut self, first: &str, next: &str, text: &str) {
        let mut line = first.to_owned();
        let mut length = first.chars().count();
        let mut empty = true;
        for word in text.split_whitespace() {
            let more = word.chars().count();
            if !empty && length + 1 + more > self.width {
                self.line(&line);
                next.clone_into(&mut line);
                length = next.chars().count();
                empty = true;
            }
            if !empty {
                line.push(' ');
                length += 1;
            }
            line.push_str(word);
            length += more;
            empty = false;
        }
        self.line(&line);
    }

    /// A table below an empty line.
    pub(crate) fn table(&mut self, table: &Table) {
        if !table.is_empty() {
            self.gap();
            self.rows(table);
        }
    }

    /// A table without a line above.
    pub(crate) fn rows(&mut self, table: &Table) {
        for line in table.lines(self.width) {
            self.line(&line);
        }
    }
}
