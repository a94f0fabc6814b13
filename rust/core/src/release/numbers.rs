//! A column of numbers in the order of the file, in as little memory as loses nothing.

use crate::error::Result;
use crate::memory;

/// Budgets of which [`Numbers::ByBudget`] keeps a number each. The release has four.
const MOST_BUDGETS: usize = 8;

/// Numbers of runs, in the order of the file.
///
/// Of the release's fifteen metrics four are the same in all runs of a budget (epochs, and the
/// time at the start): kept once they save 80 MB of a full file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Numbers {
    /// Every run of a budget has this number, which is an `f32` widened.
    ByBudget(Vec<(i16, f32)>),
    /// All are `f32` widened.
    Single(Vec<f32>),
    /// Some are not.
    Double(Vec<f64>),
}

impl Default for Numbers {
    fn default() -> Self {
        Self::ByBudget(Vec::new())
    }
}

fn bits(value: f32) -> u64 {
    f64::from(value).to_bits()
}

fn is_single(value: f64) -> bool {
    bits(value as f32) == value.to_bits()
}

fn of_budget(known: &[(i16, f32)], epochs: i16) -> Option<f32> {
    known.iter().find(|(budget, _)| *budget == epochs).map(|(_, value)| *value)
}

impl Numbers {
    /// Forgets all.
    pub(super) fn clear(&mut self) {
        // Most columns become single: their room is used again.
        match self {
            Self::Single(column) => column.clear(),
            _ => *self = Self::default(),
        }
    }

    /// Appends `values` to what there is of as many runs as `before` has, at `epochs` each.
    pub(super) fn extend(&mut self, before: &[i16], epochs: &[i16], values: &[f64]) -> Result<()> {
        if let Self::ByBudget(known) = self {
            if fits(known, epochs, values) {
                return Ok(());
            }
            self.widen(before, values.len())?;
        }
        if let Self::Single(column) = self {
            if values.iter().all(|&value| is_single(value)) {
                memory::reserve(column, values.len())?;
                column.extend(values.iter().map(|&value| value as f32));
                return Ok(());
            }
            self.double()?;
        }
        if let Self::Double(column) = self {
            memory::reserve(column, values.len())?;
            column.extend_from_slice(values);
        }
        Ok(())
    }

    /// Appends a column, at `epochs`, to what there is of as many runs as `before` has.
    pub(super) fn append(&mut self, before: &[i16], epochs: &[i16], more: &Self) -> Result<()> {
        if let (Self::ByBudget(known), Self::ByBudget(more)) = (&mut *self, more)
            && join(known, more)
        {
            return Ok(());
        }
        self.widen(before, epochs.len())?;
        if matches!(more, Self::Double(_)) {
            self.double()?;
        }
        match (self, more) {
            (Self::Single(column), Self::Single(more)) => {
                memory::reserve(column, more.len())?;
                column.extend_from_slice(more);
            }
            (Self::Single(column), Self::ByBudget(more)) => {
                memory::reserve(column, epochs.len())?;
                column.extend(epochs.iter().filter_map(|&budget| of_budget(more, budget)));
            }
            (Self::Double(column), more) => {
                memory::reserve(column, epochs.len())?;
                match more {
                    Self::ByBudget(more) => column.extend(
                        epochs.iter().filter_map(|&budget| of_budget(more, budget)).map(f64::from),
                    ),
                    Self::Single(more) => column.extend(more.iter().copied().map(f64::from)),
                    Self::Double(more) => column.extend_from_slice(more),
                }
            }
            (Self::ByBudget(_), _) | (Self::Single(_), Self::Double(_)) => {
                unreachable!("it was widened")
            }
        }
        Ok(())
    }

    /// Keeps a number for each of the runs, which were at `epochs`.
    fn widen(&mut self, epochs: &[i16], more: usize) -> Result<()> {
        if let Self::ByBudget(known) = self {
            let mut column = memory::with_capacity(epochs.len() + more)?;
            column.extend(epochs.iter().filter_map(|&budget| of_budget(known, budget)));
            *self = Self::Single(column);
        }
        Ok(())
    }

    fn double(&mut self) -> Result<()> {
        if let Self::Single(column) = self {
            *self = Self::Double(memory::collect(column.iter().copied().map(f64::from))?);
        }
        Ok(())
    }

    /// Leaves out the runs that `keep` says no of.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) {
        let mut row = 0..;
        let mut keep = || row.next().is_some_and(&mut keep);
        match self {
            Self::ByBudget(_) => {}
            Self::Single(column) => column.retain(|_| keep()),
            Self::Double(column) => column.retain(|_| keep()),
        }
    }

    /// Whether it is in double precision.
    pub(super) fn is_double(&self) -> bool {
        matches!(self, Self::Double(_))
    }

    /// Writes the column, its rows in another order, to `out`. `budgets` are those of the sorted
    /// rows, each with how many rows it has; `order` is which row of the file each is, unless they
    /// were in order. Numbers in double precision need an `out` of it.
    pub(super) fn sort_to<T: From<f32> + FromDouble>(
        &self,
        budgets: &[(i16, usize)],
        order: Option<&[u32]>,
        out: &mut [T],
    ) {
        match self {
            Self::ByBudget(known) => {
                let mut rest = out;
                for &(budget, rows) in budgets {
                    let (own, more) = rest.split_at_mut(rows);
                    if let Some(value) = of_budget(known, budget) {
                        own.iter_mut().for_each(|out| *out = T::from(value));
                    }
                    rest = more;
                }
            }
            Self::Single(column) => gather(column, order, out, T::from),
            Self::Double(column) => gather(column, order, out, T::from_double),
        }
    }
}

/// What a column may be written as.
pub(super) trait FromDouble {
    /// The number, in the precision that there is.
    fn from_double(value: f64) -> Self;
}

impl FromDouble for f64 {
    fn from_double(value: f64) -> Self {
        value
    }
}

impl FromDouble for f32 {
    fn from_double(value: f64) -> Self {
        value as f32
    }
}

/// Writes items in another order.
pub(super) fn gather<S: Copy, T>(
    items: &[S],
    order: Option<&[u32]>,
    out: &mut [T],
    convert: impl Fn(S) -> T,
) {
    match order {
        Some(order) => {
            out.iter_mut().zip(order).for_each(|(out, &row)| *out = convert(items[row as usize]));
        }
        None => out.iter_mut().zip(items).for_each(|(out, &item)| *out = convert(item)),
    }
}

/// Whether `values` are those that are known of their budgets, once new budgets are.
fn fits(known: &mut Vec<(i16, f32)>, epochs: &[i16], values: &[f64]) -> bool {
    let mut last = None;
    for (&epochs, &value) in epochs.iter().zip(values) {
        if last == Some((epochs, value.to_bits())) {
            continue;
        }
        let narrow = value as f32;
        match of_budget(known, epochs) {
            Some(found) if bits(found) == value.to_bits() => {}
            None if known.len() < MOST_BUDGETS && is_single(value) => known.push((epochs, narrow)),
            _ => return false,
        }
        last = Some((epochs, value.to_bits()));
    }
    true
}

/// Adds what is known of more budgets; whether it agrees.
fn join(known: &mut Vec<(i16, f32)>, more: &[(i16, f32)]) -> bool {
    let agrees = |&(budget, value): &(i16, f32)| {
        of_budget(known, budget).is_none_or(|found| found.to_bits() == value.to_bits())
    };
    let new = more.iter().filter(|(budget, _)| of_budget(known, *budget).is_none()).count();
    if !more.iter().all(agrees) || known.len() + new > MOST_BUDGETS {
        return false;
    }
    for &(budget, value) in more {
        if of_budget(known, budget).is_none() {
            known.push((budget, value));
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// The numbers of runs at `epochs` as a plain column.
    fn plain(numbers: &Numbers, epochs: &[i16]) -> Vec<u64> {
        // A budget a row, so that rows stay in their order.
        let budgets: Vec<(i16, usize)> = epochs.iter().map(|&epochs| (epochs, 1)).collect();
        let mut column = vec![f64::NAN; epochs.len()];
        numbers.sort_to(&budgets, None, &mut column);
        column.into_iter().map(f64::to_bits).collect()
    }

    /// Pieces extended, thinned out, used again and appended, of numbers that are the same in a
    /// budget until one is not, and `f32` until one is not; -0 among them, and more budgets than are
    /// kept.
    #[test]
    fn no_number_is_lost_however_it_is_kept() {
        let mut random = Random::new(3);
        for case in 0..300 {
            let budgets = 1 + random.below(2 * MOST_BUDGETS as u64);
            let (odd, fine) = (random.below(3) * 20, random.below(3) * 30);
            let (mut all, mut all_epochs, mut expected) = (Numbers::default(), vec![], vec![]);
            let mut piece = Numbers::default();
            for _ in 0..random.below(5) {
                piece.clear();
                let (mut epochs, mut values) = (Vec::new(), Vec::new());
                for _ in 0..random.below(4) {
                    let before = epochs.clone();
                    let (mut more, mut given) = (Vec::new(), Vec::new());
                    for _ in 0..random.below(9) {
                        let budget = random.below(budgets);
                        more.push(budget as i16 + 1);
                        given.push(match (random.below(100), random.below(100)) {
                            (x, _) if x < odd => x as f64 + 0.5,
                            (_, y) if y < fine => y as f64 / 3.0,
                            _ => [-0.0, 0.0, 1.5][budget as usize % 3],
                        });
                    }
                    piece.extend(&before, &more, &given).unwrap();
                    epochs.extend(more);
                    values.extend(given.into_iter().map(f64::to_bits));
                    assert_eq!(plain(&piece, &epochs), values, "case {case}");
                }
                let kept: Vec<bool> = epochs.iter().map(|_| random.below(4) > 0).collect();
                piece.retain(|row| kept[row]);
                let mut keep = kept.iter();
                epochs.retain(|_| *keep.next().unwrap());
                let mut keep = kept.iter();
                values.retain(|_| *keep.next().unwrap());
                assert_eq!(plain(&piece, &epochs), values, "case {case}");
                all.append(&all_epochs, &epochs, &piece).unwrap();
                all_epochs.extend(epochs);
                expected.extend(values);
                assert_eq!(plain(&all, &all_epochs), expected, "case {case}");
            }
        }
    }
}
