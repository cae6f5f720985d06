//! Resources of kind `volume`.

use models::blueprint::{ServiceId, Stock, VolumeId, VolumePlan};

use super::{Checker, span};
use crate::spec::{OnFullWord, VolumeSpec};

impl<'a> Checker<'a> {
    /// Adds a volume.
    pub(super) fn volume(
        &mut self,
        name: String,
        path: String,
        spec: &'a VolumeSpec,
        owner: Option<ServiceId>,
    ) {
        let spacing = self.spacing(spec.per.as_ref(), owner);
        self.no_time(spec.timeout.as_ref());
        let volume = spec.volume.value.units;
        let level = spec.level.as_ref().map_or(volume, |level| level.value.units);
        let blocks = spec.on_full.value == OnFullWord::Block;
        if volume <= 0.0 {
            self.error(
                spec.volume.place,
                "there is no room at all",
                "write `volume: 1000` or `volume: 4GiB`",
            );
            return;
        }
        if let Some(at) = spec.level.as_ref().filter(|_| level > volume) {
            self.error(
                at.place,
                "there is more at the start than there can be",
                "lower `level` or raise `volume`",
            );
            return;
        }
        let restarts = spec.on_full.value == OnFullWord::Restart;
        if restarts && !matches!(spacing, Some(models::blueprint::Spacing::Replica(_))) {
            let help = "make it a resource of the service, one in each replica";
            self.error(spec.volume.place, "only what a replica has for itself can make it restart", help);
        }
        let waits = [
            spec.queue.as_ref().map(|queue| ("queue", queue.place)),
            spec.timeout.as_ref().map(|timeout| ("timeout", timeout.place)),
        ];
        for (key, place) in waits.into_iter().flatten().filter(|_| !blocks) {
            let help = "write `on_full: block`, or leave it out";
            self.error(place, format!("`{key}` needs `on_full: block`: otherwise nobody waits"), help);
        }
        let Some(spacing) = spacing else { return };
        self.stocks.insert(name.clone(), Stock::Volume(VolumeId(self.volumes.len() as u32)));
        self.volumes.push(VolumePlan {
            path,
            name,
            volume,
            level,
            spacing,
            blocks,
            queue: spec.queue.as_ref().map_or(u32::MAX, |queue| queue.value.count),
            timeout: spec.timeout.as_ref().and_then(span),
            restarts,
        });
    }
}
