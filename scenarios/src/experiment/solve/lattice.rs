//! Which point to try next: every combination of the values of some axes, and what is known of them.

/// Points, each a position on every axis, with the hardest value of an axis at position 0.
///
/// A point that holds settles all that are no better than it. A point that fails settles all that are at least as
/// hard, as far as axes are trusted: on a trusted axis an easier value is never worse. On one that is not, a point
/// says nothing of its neighbours.
#[derive(Clone, Debug)]
pub(crate) struct Lattice {
    /// How many values each axis has.
    sizes: Vec<usize>,
    /// The points, best first.
    order: Vec<usize>,
    /// By point: its place in `order`.
    rank: Vec<usize>,
    /// By point: whether it holds, once it has been tried.
    known: Vec<Option<bool>>,
    /// By axis.
    trusted: Vec<bool>,
}

impl Lattice {
    /// The points of axes of these sizes. The point with the least `key` is the best.
    pub(crate) fn new<K: Ord>(sizes: &[usize], key: impl Fn(&[usize]) -> K) -> Self {
        let count = sizes.iter().product();
        let mut lattice = Self {
            sizes: sizes.to_vec(),
            order: (0..count).collect(),
            rank: vec![0; count],
            known: vec![None; count],
            trusted: vec![true; sizes.len()],
        };
        let mut order = std::mem::take(&mut lattice.order);
        order.sort_by_cached_key(|point| key(&lattice.positions(*point)));
        for (rank, point) in order.iter().enumerate() {
            lattice.rank[*point] = rank;
        }
        lattice.order = order;
        lattice
    }

    /// The positions of a point.
    pub(crate) fn positions(&self, mut point: usize) -> Vec<usize> {
        let mut positions = Vec::with_capacity(self.sizes.len());
        for size in &self.sizes {
            positions.push(point % size);
            point /= size;
        }
        positions
    }

    /// The point at these positions.
    pub(crate) fn point(&self, positions: &[usize]) -> usize {
        positions.iter().zip(&self.sizes).rev().fold(0, |point, (position, size)| point * size + position)
    }

    /// Notes whether a point holds; what was known of it before no longer counts.
    pub(crate) fn learn(&mut self, point: usize, holds: bool) {
        self.known[point] = Some(holds);
    }

    /// Whether the point has been tried.
    pub(crate) fn is_known(&self, point: usize) -> bool {
        self.known[point].is_some()
    }

    /// No longer takes an easier value for never worse, on the axis.
    pub(crate) fn distrust(&mut self, axis: usize) {
        self.trusted[axis] = false;
    }

    /// Whether an easier value of the axis is taken for never worse.
    pub(crate) fn trusts(&self, axis: usize) -> bool {
        self.trusted[axis]
    }

    /// Whether `a` is at least as easy as `b` on every axis, and another point.
    pub(crate) fn is_easier(&self, a: usize, b: usize) -> bool {
        a != b && self.positions(a).iter().zip(self.positions(b)).all(|(a, b)| *a >= b)
    }

    /// The axes on which two points differ.
    pub(crate) fn between(&self, a: usize, b: usize) -> Vec<usize> {
        let (a, b) = (self.positions(a), self.positions(b));
        (0..self.sizes.len()).filter(|axis| a[*axis] != b[*axis]).collect()
    }

    /// The best point that holds.
    pub(crate) fn best(&self) -> Option<usize> {
        self.order.iter().copied().find(|point| self.known[*point] == Some(true))
    }

    /// Whether `a` would be a better answer than `b`.
    pub(crate) fn is_better(&self, a: usize, b: usize) -> bool {
        self.rank[a] < self.rank[b]
    }

    /// One step on each axis from the point: to harder ones first.
    pub(crate) fn neighbours(&self, point: usize) -> Vec<usize> {
        let at = self.positions(point);
        let step = |axis: usize, to: Option<usize>| {
            let mut moved = at.clone();
            moved[axis] = to.filter(|to| *to < self.sizes[axis])?;
            Some(self.point(&moved))
        };
        let harder = (0..at.len()).filter_map(|axis| step(axis, at[axis].checked_sub(1)));
        let easier = (0..at.len()).filter_map(|axis| step(axis, Some(at[axis] + 1)));
        harder.chain(easier).collect()
    }

    /// Quarters of every trusted axis, all others at their easiest: where nothing holds, what would show that easier
    /// is worse.
    pub(crate) fn quarters(&self) -> Vec<usize> {
        let easiest: Vec<usize> = self.sizes.iter().map(|size| size - 1).collect();
        let mut points = Vec::new();
        for axis in (0..self.sizes.len()).filter(|axis| self.trusted[*axis]) {
            for quarter in 0..4 {
                let mut at = easiest.clone();
                at[axis] = quarter * easiest[axis] / 4;
                points.push(self.point(&at));
            }
        }
        points
    }

    /// How many points could still be a better answer.
    pub(crate) fn open_count(&self) -> usize {
        self.open().iter().filter(|open| **open).count()
    }

    /// The point that settles the most, whichever way it comes out; of equals the best one. None when nothing is open.
    ///
    /// On one trusted axis this is bisection; on several it walks along the frontier between what holds and what does
    /// not; without trust it goes through all points from the best on.
    pub(crate) fn next(&self) -> Option<usize> {
        let open = self.open();
        let below = self.at_least_as_hard(&open);
        let candidates = || self.order.iter().copied().filter(|point| open[*point]);
        let total = candidates().count();
        let mut best: Option<(usize, usize)> = None;
        for (better, point) in candidates().enumerate() {
            let settled = (total - better).min(below[point]);
            if best.is_none_or(|(most, _)| settled > most) {
                best = Some((settled, point));
            }
        }
        best.map(|(_, point)| point)
    }

    /// By point: whether it has not been settled and would be a better answer than there is.
    fn open(&self) -> Vec<bool> {
        let fails = self.settled_by_failures();
        let end = self.best().map_or(usize::MAX, |best| self.rank[best]);
        (0..fails.len())
            .map(|point| self.known[point].is_none() && !fails[point] && self.rank[point] < end)
            .collect()
    }

    /// By point: whether a point that failed is at least as easy, as far as axes are trusted.
    fn settled_by_failures(&self) -> Vec<bool> {
        let mut fails: Vec<bool> = self.known.iter().map(|known| *known == Some(false)).collect();
        for axis in self.trusted_axes() {
            for (harder, easier) in self.steps(axis).rev() {
                fails[harder] |= fails[easier];
            }
        }
        fails
    }

    /// By point: how many open ones are at least as hard, as far as axes are trusted.
    fn at_least_as_hard(&self, open: &[bool]) -> Vec<usize> {
        let mut counts: Vec<usize> = open.iter().map(|open| usize::from(*open)).collect();
        for axis in self.trusted_axes() {
            for (harder, easier) in self.steps(axis) {
                counts[easier] += counts[harder];
            }
        }
        counts
    }

    fn trusted_axes(&self) -> impl Iterator<Item = usize> {
        (0..self.sizes.len()).filter(|axis| self.trusted[*axis])
    }

    /// Neighbours along an axis, the harder one first, from the hardest on.
    fn steps(&self, axis: usize) -> impl DoubleEndedIterator<Item = (usize, usize)> + use<> {
        let stride: usize = self.sizes[..axis].iter().product();
        let size = self.sizes[axis];
        let inner = move |point: &usize| point / stride % size + 1 < size;
        (0..self.known.len()).filter(inner).map(move |point| (point, point + stride))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches for the best point at which `holds`; the answer, and what was tried.
    fn search(lattice: &mut Lattice, holds: impl Fn(&[usize]) -> bool) -> (Option<Vec<usize>>, usize) {
        let mut tried = 0;
        while let Some(point) = lattice.next() {
            let answer = holds(&lattice.positions(point));
            lattice.learn(point, answer);
            tried += 1;
        }
        (lattice.best().map(|point| lattice.positions(point)), tried)
    }

    #[test]
    fn one_axis_is_bisected() {
        for wanted in 0..100 {
            let mut lattice = Lattice::new(&[100], |at| at[0]);
            let (answer, tried) = search(&mut lattice, |at| at[0] >= wanted);
            assert_eq!(answer, Some(vec![wanted]));
            assert!(tried <= 7, "{tried} for {wanted}");
        }
        let mut lattice = Lattice::new(&[100], |at| at[0]);
        assert_eq!(search(&mut lattice, |_| false), (None, 7));
    }

    /// The first point is the middle of 7: 3 are harder and 3 no better. Then the middle of what is left.
    #[test]
    fn what_settles_the_most_comes_first() {
        let mut lattice = Lattice::new(&[7], |at| at[0]);
        let mut seen = Vec::new();
        while let Some(point) = lattice.next() {
            seen.push(point);
            lattice.learn(point, point >= 2);
        }
        assert_eq!(seen, [3, 1, 2]);
    }

    /// Cost 3x + 2y; what holds is x >= 2 and x + 2y >= 13: (2, 6) costs 18, (3, 5) costs 19.
    #[test]
    fn two_axes_are_walked_along_the_frontier() {
        let mut lattice = Lattice::new(&[20, 20], |at| 3 * at[0] + 2 * at[1]);
        let (answer, tried) = search(&mut lattice, |at| at[0] >= 2 && at[0] + 2 * at[1] >= 13);
        assert_eq!(answer, Some(vec![2, 6]));
        assert!(tried < 25, "{tried} of 400");
    }

    /// Any frontier that is monotone, in three dimensions, against all points one by one.
    #[test]
    fn the_cheapest_of_any_monotone_set_is_found() {
        let mut seed = 1_u64;
        let mut draw = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        for _ in 0..200 {
            let sizes = [1 + draw(8), 1 + draw(6), 1 + draw(5)];
            let weights = [draw(4), draw(4), draw(4)];
            let corners: Vec<[usize; 3]> = (0..draw(4)).map(|_| [draw(8), draw(6), draw(5)]).collect();
            let holds = |at: &[usize]| {
                corners.iter().any(|corner| at.iter().zip(corner).all(|(at, least)| at >= least))
            };
            let key = |at: &[usize]| {
                (at.iter().zip(weights).map(|(at, weight)| at * weight).sum::<usize>(), at.to_vec())
            };
            let mut lattice = Lattice::new(&sizes, key);
            let points = (0..sizes.iter().product()).map(|point| lattice.positions(point));
            let cheapest = points.filter(|at| holds(at)).min_by_key(|at| key(at));
            let (answer, tried) = search(&mut lattice, holds);
            assert_eq!(answer, cheapest, "{sizes:?} {corners:?}");
            assert!(tried <= sizes.iter().product(), "no point is tried twice");
        }
    }

    /// What holds is 3 to 5 of 0 to 19. Bisection would begin at 9 and go up; without trust it is found from below.
    #[test]
    fn without_trust_points_are_tried_from_the_best_on() {
        let mut lattice = Lattice::new(&[20], |at| at[0]);
        lattice.distrust(0);
        assert_eq!(search(&mut lattice, |at| (3..6).contains(&at[0])), (Some(vec![3]), 4));
        let mut lattice = Lattice::new(&[20], |at| at[0]);
        lattice.distrust(0);
        assert_eq!(search(&mut lattice, |_| false), (None, 20));
    }

    #[test]
    fn an_axis_without_trust_leaves_the_other_its_own() {
        let mut lattice = Lattice::new(&[4, 100], |at| (at[1], at[0]));
        lattice.distrust(0);
        let (answer, tried) = search(&mut lattice, |at| at[0] == 2 && at[1] >= 40);
        assert_eq!(answer, Some(vec![2, 40]));
        assert!(tried <= 4 * 8, "{tried}");
    }

    #[test]
    fn an_answer_that_is_taken_back_is_followed_by_the_next_one() {
        let mut lattice = Lattice::new(&[10], |at| at[0]);
        search(&mut lattice, |at| at[0] >= 4);
        assert_eq!(lattice.best(), Some(4));
        lattice.learn(4, false);
        let (answer, _) = search(&mut lattice, |at| at[0] >= 4);
        assert_eq!(answer, Some(vec![5]));
    }

    #[test]
    fn points_know_their_neighbours() {
        let lattice = Lattice::new(&[3, 2], <[usize]>::to_vec);
        let middle = lattice.point(&[1, 0]);
        let named: Vec<Vec<usize>> =
            lattice.neighbours(middle).into_iter().map(|point| lattice.positions(point)).collect();
        assert_eq!(named, [vec![0, 0], vec![2, 0], vec![1, 1]]);
        assert!(lattice.is_easier(lattice.point(&[1, 1]), middle) && !lattice.is_easier(middle, middle));
        assert_eq!(lattice.between(lattice.point(&[2, 1]), middle), [0, 1]);
    }
}
