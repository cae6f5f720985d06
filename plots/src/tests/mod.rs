//! Whole pictures: what must be on them, and that nothing collides.
mod fixtures;

use std::path::Path;

/// Writes the pictures for people to look at: `GALLERY=folder cargo test -p plots gallery -- --ignored`.
#[test]
#[ignore = "writes files"]
fn gallery() {
    let folder = std::env::var("GALLERY").expect("GALLERY names a folder");
    for (name, svg) in pictures() {
        std::fs::write(Path::new(&folder).join(format!("{name}.svg")), &svg).unwrap();
        #[cfg(feature = "png")]
        std::fs::write(Path::new(&folder).join(format!("{name}.png")), crate::to_png(&svg, 1.0).unwrap())
            .unwrap();
    }
}

/// Every picture by name.
fn pictures() -> Vec<(&'static str, String)> {
    let sweeps = [
        ("hockey_stick", fixtures::hockey_stick()),
        ("two_points", fixtures::bare(fixtures::sweep(&[10.0, 30.0]))),
        ("one_point", fixtures::bare(fixtures::sweep(&[10.0]))),
        ("wide", fixtures::wide()),
        ("grid_few", fixtures::grid(&[4, 6, 8], 10)),
        ("grid_many", fixtures::grid(&[1, 2, 3, 4, 5, 6, 7, 8, 10], 10)),
        ("long_names", fixtures::long_names()),
        ("nothing_known", fixtures::nothing_known()),
    ];
    let sweeps = sweeps.iter().map(|(name, sweep)| (*name, crate::sweep_svg(sweep).unwrap()));
    let others = [
        ("run", crate::run_svg(&fixtures::run()).unwrap()),
        ("run_of_one", crate::run_svg(&fixtures::run_of_one()).unwrap()),
        ("comparison", crate::compare_svg(&fixtures::comparison()).unwrap()),
    ];
    sweeps.chain(others).collect()
}
