//! Pages of lists.

/// A page of a list, as a client asks for it. A negative `from` shortens the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The index of the first item.
    pub from: i64,
    /// The number of items; none when not above zero.
    pub size: i64,
}

impl Page {
    /// The window [max(from, 0), from + size), as offset and length, without overflow.
    pub fn window(self) -> (u64, u64) {
        let start = self.from.max(0);
        let end = self.from.saturating_add(self.size);
        let length = end.saturating_sub(start).max(0);
        (start.unsigned_abs(), length.unsigned_abs())
    }
}
