//! Text tables with aligned columns, one terminal line for each row.

use crate::text::{cut, escaped, width};

/// Spaces between two columns.
const GAP: usize = 2;
/// Columns shrink no further than this.
const NARROWEST: usize = 6;

/// A table. Cells are escaped when they are added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new<H: AsRef<str>>(headings: impl IntoIterator<Item = H>) -> Self {
        Self {
            headings: headings
                .into_iter()
                .map(|heading| escaped(heading.as_ref()))
                .collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row. Missing cells are empty, extra cells are dropped.
    pub fn row<C: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = C>) {
        let mut cells: Vec<String> = cells
            .into_iter()
            .map(|cell| escaped(cell.as_ref()))
            .collect();
        cells.resize(self.headings.len(), String::new());
        self.rows.push(cells);
    }

    /// Tells whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as lines, at most so many columns wide if possible.
    pub fn rendered(&self, columns: Option<usize>) -> String {
        let widths = self.widths(columns);
        let numeric: Vec<bool> = (0..self.headings.len())
            .map(|column| self.is_numeric(column))
            .collect();
        let last = self.headings.len().saturating_sub(1);
        let mut text = String::new();
        for row in std::iter::once(&self.headings).chain(&self.rows) {
            let cells = row.iter().zip(&widths).zip(&numeric).enumerate();
            let padded: Vec<String> = cells
                .map(|(column, ((cell, width), numeric))| {
                    // One cell may have megabytes, and no row behind it needs as many blanks.
                    if column == last && !numeric {
                        cut(cell, *width)
                    } else {
                        padded(cell, *width, *numeric)
                    }
                })
                .collect();
            let line = padded.join(&" ".repeat(GAP));
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// The width of each column. If they do not all fit, the widest columns shrink.
    fn widths(&self, columns: Option<usize>) -> Vec<usize> {
        let gaps = GAP * self.headings.len().saturating_sub(1);
        let room = columns.map_or(usize::MAX, |columns| columns.saturating_sub(gaps));
        let mut widths: Vec<usize> = self.headings.iter().map(|heading| width(heading)).collect();
        for row in &self.rows {
            for (wide, cell) in widths.iter_mut().zip(row) {
                *wide = (*wide).max(width(cell).min(room));
            }
        }
        while widths.iter().sum::<usize>() > room {
            match widths.iter_mut().max() {
                Some(widest) if *widest > NARROWEST => *widest -= 1,
                _ => break,
            }
        }
        widths
    }

    fn is_numeric(&self, column: usize) -> bool {
        let mut cells = self
            .rows
            .iter()
            .map(|row| row[column].as_str())
            .filter(|cell| !cell.is_empty() && *cell != "null")
            .peekable();
        cells.peek().is_some() && cells.all(|cell| cell.parse::<f64>().is_ok())
    }
}

fn padded(cell: &str, columns: usize, to_the_right: bool) -> String {
    let cell = cut(cell, columns);
    let blanks = " ".repeat(columns.saturating_sub(width(&cell)));
    if to_the_right {
        blanks + &cell
    } else {
        cell + &blanks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Table {
        let mut table = Table::new(["ID", "NAME", "STATE"]);
        table.row(["7", "nightly", "idle"]);
        table.row(["12", "日本\u{1b}[31m", "shutting_down"]);
        table.row(["100"]);
        table
    }

    #[test]
    fn columns_line_up_and_numbers_stand_right() {
        insta::assert_snapshot!(example().rendered(None), @r"
         ID  NAME            STATE
          7  nightly         idle
         12  日本\u{1b}[31m  shutting_down
        100
        ");
    }

    #[test]
    fn the_widest_columns_give_way_to_the_terminal() {
        let text = example().rendered(Some(24));
        insta::assert_snapshot!(text, @r"
         ID  NAME       STATE
          7  nightly    idle
         12  日本\u{1…  shuttin…
        100
        ");
        assert!(text.lines().all(|line| width(line) <= 24));
        assert!(!example().rendered(Some(1)).is_empty());
    }

    #[test]
    fn a_long_last_cell_costs_its_own_row_only() {
        let mut table = Table::new(["ID", "CODE"]);
        table.row(["1", &"x".repeat(1 << 20)]);
        for _ in 0..1_000 {
            table.row(["2", "y"]);
        }
        let text = table.rendered(None);
        assert_eq!(text.len(), "ID  CODE\n".len() + 5 + (1 << 20) + 1_000 * 6);
        let short = table.rendered(Some(12));
        assert!(
            short.starts_with("ID  CODE\n 1  xxxxxxx…\n 2  y\n"),
            "{short}"
        );
    }

    #[test]
    fn a_table_may_have_nothing() {
        assert_eq!(Table::new(["A", "B"]).rendered(None), "A  B\n");
        assert_eq!(Table::new(Vec::<String>::new()).rendered(None), "\n");
        assert!(Table::new(["A"]).is_empty() && !example().is_empty());
    }
}
