//! Labels that keep out of each other's way.

use crate::scene::{Rect, Text};

/// Remembers what stands where, and finds room for the next label.
#[derive(Debug)]
pub(crate) struct Placer {
    /// Labels stay inside.
    page: Rect,
    /// Words: never overlapped.
    words: Vec<Rect>,
    /// Lines and points: overlapped only when there is no better place.
    ink: Vec<Rect>,
}

impl Placer {
    pub(crate) fn new(page: Rect) -> Self {
        Self { page, words: Vec::new(), ink: Vec::new() }
    }

    /// Notes a drawn line, in pieces.
    pub(crate) fn note_line(&mut self, points: &[(f64, f64)]) {
        for pair in points.windows(2) {
            let ((x1, y1), (x2, y2)) = (pair[0], pair[1]);
            let pieces = ((x2 - x1).hypot(y2 - y1) / 8.0).ceil().clamp(1.0, 400.0) as u32;
            for piece in 0..pieces {
                let part = |t: u32| {
                    let share = f64::from(t) / f64::from(pieces);
                    (x1 + share * (x2 - x1), y1 + share * (y2 - y1))
                };
                let ((a, b), (c, d)) = (part(piece), part(piece + 1));
                self.ink.push(Rect {
                    left: a.min(c) - 1.0,
                    top: b.min(d) - 1.0,
                    right: a.max(c) + 1.0,
                    bottom: b.max(d) + 1.0,
                });
            }
        }
    }

    /// Notes a drawn point.
    pub(crate) fn note_point(&mut self, (x, y): (f64, f64), r: f64) {
        self.ink.push(Rect { left: x - r, top: y - r, right: x + r, bottom: y + r });
    }

    /// The first of the candidates that covers the least ink and no words; none if all collide.
    pub(crate) fn place(&mut self, candidates: impl IntoIterator<Item = Text>) -> Option<Text> {
        let mut best: Option<(usize, Text)> = None;
        for text in candidates {
            let at = grown(text.bounds(), 3.0);
            if !self.page.holds(&at) || self.words.iter().any(|other| other.overlaps(&at)) {
                continue;
            }
            let covered = self.ink.iter().filter(|ink| ink.overlaps(&at)).count();
            if best.as_ref().is_none_or(|(least, _)| covered < *least) {
                best = Some((covered, text));
            }
        }
        let (_, text) = best?;
        self.words.push(text.bounds());
        Some(text)
    }
}

fn grown(at: Rect, by: f64) -> Rect {
    Rect { left: at.left - by, top: at.top - by, right: at.right + by, bottom: at.bottom + by }
}

/// Moves labels of `height` apart, each as near to where it wants to be as its neighbours allow.
///
/// Returns the middles in the order given. All stay between `low` and `high` as long as they fit there.
pub(crate) fn spread(wanted: &[f64], height: f64, low: f64, high: f64) -> Vec<f64> {
    struct Block {
        members: Vec<usize>,
        middle: f64,
    }
    let half = height / 2.0;
    let settle = |members: &[usize]| {
        let n = members.len() as f64;
        let mean = members.iter().map(|&i| wanted[i]).sum::<f64>() / n;
        mean.clamp(low + n * half, (high - n * half).max(low + n * half))
    };
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]));
    let mut blocks: Vec<Block> = Vec::new();
    for index in order {
        let mut block = Block { members: vec![index], middle: settle(&[index]) };
        while let Some(above) = blocks.pop_if(|above| {
            let room = (above.members.len() + block.members.len()) as f64 * half;
            block.middle - above.middle < room - 1e-9
        }) {
            block.members.splice(0..0, above.members);
            block.middle = settle(&block.members);
        }
        blocks.push(block);
    }
    let mut placed = vec![0.0; wanted.len()];
    for block in blocks {
        let first = block.middle - (block.members.len() as f64 - 1.0) * half;
        for (i, &member) in block.members.iter().enumerate() {
            placed[member] = first + i as f64 * height;
        }
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_have_room_stay() {
        assert_eq!(spread(&[30.0, 80.0], 20.0, 0.0, 100.0), [30.0, 80.0]);
    }

    #[test]
    fn labels_in_the_same_place_move_apart_evenly() {
        assert_eq!(spread(&[50.0, 50.0, 50.0], 20.0, 0.0, 100.0), [30.0, 50.0, 70.0]);
    }

    #[test]
    fn labels_stay_within_the_ends() {
        assert_eq!(spread(&[99.0, 0.0, 98.0], 20.0, 0.0, 100.0), [90.0, 10.0, 70.0]);
    }

    #[test]
    fn a_label_prefers_blank_paper_and_never_covers_words() {
        let page = Rect { left: 0.0, top: 0.0, right: 300.0, bottom: 100.0 };
        let at = |x: f64| Text::new(x, 50.0, 16.0, "#000", "knee");
        let mut placer = Placer::new(page);
        placer.note_line(&[(0.0, 46.0), (100.0, 46.0)]);
        let first = placer.place([at(10.0), at(150.0)]).expect("there is room");
        assert!((first.x - 150.0).abs() < 1e-9);
        assert!(placer.place([at(152.0)]).is_none());
        assert!(placer.place([at(290.0)]).is_none(), "it would leave the page");
    }
}
