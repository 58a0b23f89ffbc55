//! A list of positions that something must be done about at the end of the instant, each once.

#[derive(Debug)]
pub(super) struct Touched {
    list: Vec<usize>,
    is: Vec<bool>,
}

impl Touched {
    /// Of positions below `size`, which bounds the list.
    pub(super) fn new(size: usize) -> Self {
        Self {
            list: Vec::new(),
            is: vec![false; size],
        }
    }

    pub(super) fn add(&mut self, position: usize) {
        if !std::mem::replace(&mut self.is[position], true) {
            self.list.push(position);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The list, which is empty afterwards.
    pub(super) fn take(&mut self) -> Vec<usize> {
        let list = std::mem::take(&mut self.list);
        list.iter().for_each(|position| self.is[*position] = false);
        list
    }

    /// Takes one position off the list. Returns whether it was on it.
    pub(super) fn take_one(&mut self, position: usize) -> bool {
        let was = std::mem::replace(&mut self.is[position], false);
        if was {
            self.list.retain(|known| *known != position);
        }
        was
    }
}
