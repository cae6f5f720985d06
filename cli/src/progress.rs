//! A progress bar on standard error, for whatever takes longer than half a second.

use std::io::IsTerminal;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use scenarios::experiment::Progress;

use crate::output;

/// How long something may take without a bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// Hears how far an experiment is, and shows it.
pub(crate) struct Bar {
    shown: ProgressBar,
    /// Dropping it ends the thread that shows the bar.
    done: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Bar {
    /// A bar that shows itself if the experiment takes long and standard error is a terminal.
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        if output::is_quiet() || !std::io::stderr().is_terminal() {
            return Self { shown: bar, done: None, thread: None };
        }
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} replications{msg}, {eta} left");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        let (done, finished) = channel::<()>();
        let shown = bar.clone();
        let thread = std::thread::spawn(move || {
            if finished.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                shown.set_draw_target(ProgressDrawTarget::stderr());
                shown.enable_steady_tick(Duration::from_millis(250));
            }
        });
        Self { shown: bar, done: Some(done), thread: Some(thread) }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.done.take();
        if let Some(thread) = self.thread.take() {
            // It only waits; if it has panicked there is no bar, and nothing else is wrong.
            let _ = thread.join();
        }
        self.shown.finish_and_clear();
    }
}

impl Progress for Bar {
    fn planned(&self, replications: u64) {
        self.shown.set_length(replications);
    }

    fn finished(&self, _events: u64) {
        self.shown.inc(1);
    }

    fn stage(&self, text: &str) {
        self.shown.set_message(format!(", {text}"));
    }
}
