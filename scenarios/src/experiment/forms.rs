//! Closed forms.

/// Erlang C.
pub(crate) fn erlang_c(offered: f64, servers: u32) -> f64 {
    let mut blocked = 1.0;
    for n in 1..=servers {
        blocked = offered * blocked / (f64::from(n) + offered * blocked);
    }
    let rho = offered / f64::from(servers);
    blocked / (1.0 - rho * (1.0 - blocked))
}
