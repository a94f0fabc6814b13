//! Runs drawn about the values of a table that says how far runs of a cell lie apart.
//!
//! What the constants mean, and where they are from, is said where they are: in
//! `python/nb101/table/noise.py`.

/// How runs of a cell lie about its values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// Images that an evaluation looks at: accuracies are multiples of its inverse.
    pub images: f64,
    /// How much of the binomial variance of an accuracy is its own.
    pub sampling: f64,
    /// Accuracy of a run that has collapsed.
    pub chance: f64,
    /// Mean accuracy below which runs of a cell may collapse.
    pub safe: f64,
    /// How far whole runs lie apart: by so much of what their mean lacks to `top`...
    pub flat: f64,
    /// ...the best that there is...
    pub top: f64,
    /// ...and at most so far.
    pub widest: f64,
    /// How much further the runs of a cell lie apart of which some collapse.
    pub surplus: f64,
    /// Spreads that a run lies from the mean at most...
    pub furthest: f64,
    /// ...where the spread is above this.
    pub narrow: f64,
}

/// What kind of run a cell is given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Of a cell whose runs do not collapse.
    Usual,
    /// Whole, of a cell of which one in so many collapses.
    Whole {
        /// The share that collapses.
        collapse: f64,
    },
    /// Collapsed.
    Collapsed,
}

impl Noise {
    /// How far runs that have not collapsed lie apart, by their mean accuracy.
    pub fn spread_of_whole(&self, mean: f64) -> f64 {
        (self.flat * (self.top - mean)).max(0.0).min(self.widest)
    }

    /// Whether some runs of a cell collapse: they lie further apart than whole ones do.
    pub fn may_collapse(&self, validation: f64, spread: f64) -> bool {
        validation < self.safe && spread > self.surplus * self.spread_of_whole(validation)
    }

    /// The time of a run, in single precision as tables have it.
    pub fn time(&self, mean: f64, spread: f64, normal: f64) -> f32 {
        (mean + spread * normal).max(0.0) as f32
    }

    /// An accuracy of a run: `common` moves all of a run's, and `normal` this one.
    pub fn accuracy(&self, mean: f64, spread: f64, kind: Kind, common: f64, normal: f64) -> f32 {
        if mean.is_nan() {
            return f32::NAN;
        }
        let (mean, spread) = match kind {
            Kind::Usual => (mean, spread),
            Kind::Whole { collapse } => {
                let mean = ((mean - collapse * self.chance) / (1.0 - collapse)).clamp(0.0, 1.0);
                (mean, self.spread_of_whole(mean))
            }
            Kind::Collapsed => (self.chance, 0.0),
        };
        let variance = spread * spread;
        let alone = (self.sampling * mean * (1.0 - mean) / self.images).max(0.0).min(variance);
        let far = spread > self.narrow;
        let shared = if far { common.max(-self.furthest).min(self.furthest) } else { common };
        let drawn = mean + (variance - alone).sqrt() * shared + alone.sqrt() * normal;
        ((drawn.clamp(0.0, 1.0) * self.images).round_ties_even() / self.images) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOISE: Noise = Noise {
        images: 9984.0,
        sampling: 0.5,
        chance: 0.1,
        safe: 0.8,
        flat: 0.2,
        top: 0.925,
        widest: 0.085,
        surplus: 1.25,
        furthest: 2.5,
        narrow: 0.01,
    };

    #[test]
    fn runs_lie_about_the_mean_in_steps_of_an_image() {
        assert_eq!(NOISE.accuracy(0.75, 0.01, Kind::Usual, 0.0, 0.0), 0.75);
        // Without a spread there is no noise, and no spread leads past 1.
        assert_eq!(NOISE.accuracy(0.75, 0.0, Kind::Usual, 3.0, 3.0), 0.75);
        assert_eq!(NOISE.accuracy(0.9, 0.5, Kind::Usual, 9.0, 0.0), 1.0);
        let step = NOISE.accuracy(0.9, 0.005, Kind::Usual, 0.3, -0.2) * 9984.0;
        assert_eq!(step, step.round());
        // What is common to a run is cut off where the spread is wide.
        let at = |common| NOISE.accuracy(0.5, 0.05, Kind::Usual, common, 0.0);
        assert_eq!(at(2.5), at(9.0));
        assert!(at(2.4) < at(2.5));
    }

    #[test]
    fn runs_collapse_to_chance() {
        assert!(NOISE.may_collapse(0.7, 0.2) && !NOISE.may_collapse(0.9, 0.2));
        assert!(!NOISE.may_collapse(0.7, 0.01) && !NOISE.may_collapse(f64::NAN, 0.2));
        let collapsed = NOISE.accuracy(0.7, 0.2, Kind::Collapsed, 2.0, 2.0);
        assert!((collapsed - 0.1).abs() < 1e-4);
        // Whole runs make up for those that collapse.
        let whole = NOISE.accuracy(0.7, 0.2, Kind::Whole { collapse: 0.1 }, 0.0, 0.0);
        assert!((f64::from(whole) - 0.69 / 0.9).abs() < 1e-4);
    }

    #[test]
    fn what_is_not_known_stays_so_and_times_are_not_negative() {
        assert!(NOISE.accuracy(f64::NAN, 0.1, Kind::Usual, 0.0, 0.0).is_nan());
        assert_eq!(NOISE.time(100.0, 60.0, -2.0), 0.0);
        assert_eq!(NOISE.time(100.0, 60.0, 0.1), 106.0);
    }
}
