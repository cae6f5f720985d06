//! Slots that are connections: how they are opened, kept and closed, and what they come out of.

use models::blueprint::{CodeAddress, ConnectionPlan, PoolId, PoolScope};

use super::{Checker, services_of, span};
use crate::spec::{At, SlotsSpec, Text};

impl<'a> Checker<'a> {
    /// How the slots of the pool `name` are opened and closed, if they are connections.
    pub(super) fn connections(
        &mut self,
        name: &str,
        spec: &'a SlotsSpec,
        scope: PoolScope,
    ) -> Option<Box<ConnectionPlan>> {
        let eager = spec.eager.value.on;
        let plan = ConnectionPlan {
            connect: spec.connect.as_ref().and_then(|time| self.distribution(time)),
            // What is opened ahead would be opened again at once.
            idle: spec.idle.as_ref().filter(|_| !eager).and_then(span),
            max_life: spec.max_life.as_ref().and_then(|time| self.distribution(time)),
            // Where the code is that opens them is known when it has been written.
            opener: eager.then_some(CodeAddress(u32::MAX)),
            from: None,
        };
        if eager && !matches!(scope, PoolScope::Replica { .. }) {
            let help = "let a service own it, or write `per: <service>`: its replicas open the connections";
            self.error(spec.eager.place, "there is nobody who could open these connections ahead", help);
        }
        if let Some(life) =
            spec.max_life.as_ref().filter(|_| plan.max_life.as_ref().is_some_and(|l| l.mean() <= 0.0))
        {
            self.error(
                life.place,
                "these connections are too old as soon as they are open",
                "write `max_life: 30m`",
            );
        }
        if let Some(from) = &spec.from {
            self.sources.push((name.to_owned(), from));
        }
        let is_plain = plan.connect.is_none() && plan.idle.is_none() && plan.max_life.is_none();
        (!is_plain || eager || spec.from.is_some()).then(|| Box::new(plan))
    }

    /// Resolves what connections come out of, once all resources are known.
    pub(super) fn connection_sources(&mut self) {
        for (name, at) in std::mem::take(&mut self.sources) {
            let Some(&pool) = self.pool_names.get(&name) else { continue };
            let source = self.source_named(&name, at);
            if let (Some(source), Some(plan)) = (source, &mut self.pools[pool.index()].connections) {
                plan.from = Some(source);
            }
        }
    }

    /// The pool that `from` means for the connections of the pool `name`.
    fn source_named(&mut self, name: &str, at: &At<Text>) -> Option<PoolId> {
        let wanted = at.value.0.as_str();
        let service = name.split_once('.').map_or("", |(service, _)| service);
        let source = self.look_up(service, at, "let connections come out of `slots`")?;
        let row = &self.pools[source.index()];
        let holder = self.pool_names.get(name).map(|pool| self.pools[pool.index()].scope);
        if row.connections.is_some() {
            let message = format!("`{wanted}` is made of connections itself");
            let help = "let connections come out of plain slots, and hold the next pool in a step";
            self.error(at.place, message, help);
            return None;
        }
        if let PoolScope::Replica { service, .. } = row.scope
            && !matches!(holder, Some(PoolScope::Replica { service: own, .. }) if own == service)
        {
            let owner = services_of(self.spec)[service.index()].name.clone();
            let message = format!("`{wanted}` is one in each replica of `{owner}`: it is not said of which");
            self.error(at.place, message, "give it `per: cluster`: one for all replicas");
            return None;
        }
        if matches!(row.scope, PoolScope::Class | PoolScope::Each(_)) {
            let of = if row.scope == PoolScope::Class { "class" } else { "value of an attribute" };
            let message = format!("there is one `{wanted}` for each {of}, and a connection has none");
            self.error(at.place, message, "give it `per: cluster`");
            return None;
        }
        if row.batch.is_some() {
            let message = format!("`{wanted}` is served in batches, which nobody holds");
            self.error(at.place, message, "let connections come out of slots without `batch`");
            return None;
        }
        Some(source)
    }
}
