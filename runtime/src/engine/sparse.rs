//! A list of which most places are empty: what a customer has of things that the plan numbers.

use segue_compiler::packed;

/// Values by number; those that were never asked for by [`Sparse::entry`] take no space.
#[derive(Clone, Debug)]
pub(super) struct Sparse<T> {
    /// In order of the numbers.
    entries: Vec<(u32, T)>,
}

packed!(Sparse<T> { entries });

impl<T> Default for Sparse<T> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<T> Sparse<T> {
    fn place(&self, number: u32) -> Result<usize, usize> {
        self.entries.binary_search_by_key(&number, |(number, _)| *number)
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        self.place(number).ok().and_then(|place| self.entries.get(place)).map(|(_, value)| value)
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.place(number).ok().and_then(|place| self.entries.get_mut(place)).map(|(_, value)| value)
    }

    /// The value of a number; it is made when there is none.
    pub(super) fn entry(&mut self, number: u32) -> &mut T
    where
        T: Default,
    {
        let place = match self.place(number) {
            Ok(place) => place,
            Err(place) => {
                self.entries.insert(place, (number, T::default()));
                place
            }
        };
        &mut self.entries[place].1
    }

    /// Puts a value in place of the one that is there.
    pub(super) fn set(&mut self, number: u32, value: T)
    where
        T: Default,
    {
        *self.entry(number) = value;
    }

    pub(super) fn remove(&mut self, number: u32) {
        if let Ok(place) = self.place(number) {
            self.entries.remove(place);
        }
    }

    /// The values of numbers, which are in order.
    pub(super) fn of(entries: Vec<(u32, T)>) -> Self {
        Self { entries }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.entries.iter().map(|(number, value)| (*number, value))
    }

    /// All values in order.
    pub(super) fn into_all(self) -> impl Iterator<Item = (u32, T)> {
        self.entries.into_iter()
    }

    /// Looks at every value in order and keeps those for which `keep` says so.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(u32, &mut T) -> bool) {
        self.entries.retain_mut(|(number, value)| keep(*number, value));
    }
}
