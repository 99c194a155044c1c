//! `vm --brief`: of what is about the kernel some cases that say much in little time, on every
//! kernel. Where there is no emulator, or packages are not to be had, it says what is skipped and
//! why. A guest that does not come up, or not to its end, has failed.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use super::guest::{self, Ending, Report};
use super::image::{self, Image};
use super::{KERNELS, Kernel, programs, reasons, table};
use crate::musl::{ARCHES, Root};
use crate::test::Tally;
use crate::{Outcome, setup, shell};

/// How long a guest may take: some five times of what it does.
const LONGEST: Duration = Duration::from_mins(10);

/// Guests that run at a time, each of which takes a processor and up to 3 GiB.
const AT_ONCE: usize = 2;

const CASES: &[&str] = &[
    "=traces/nothing-left-clsact",
    "=devices/later",
    "=select/pid",
    "=filter/packets",
    "=owners/tcp-new",
    "=owners/tcp-old",
    "=owners/fork-reads",
    "=owners/fork-corked",
    "=owners/tcp-time-wait",
    "=owners/udp-connected",
    "=owners/ping",
    "=faults/clock-steps",
    "=faults/cpu-unplugged",
    "=tls/openssl client 1.3",
];

/// Runs it, where an emulator and packages are to be had.
///
/// # Errors
/// The programs do not build, or something is not well on a kernel.
pub fn brief(tally: &mut Tally) -> Outcome {
    let mut wrong = Vec::new();
    for report in play_all(&images(tally)?)? {
        let wanted = cases(report.kernel).len();
        wrong.extend(count(&report, wanted, tally).err());
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("; "))
    }
}

/// What the guests boot. What is not to be had is counted as skipped.
///
/// # Errors
/// The programs do not build.
pub fn images(tally: &mut Tally) -> Result<Vec<Image>, String> {
    if let Err(why) = setup::install(setup::FOR_VM) {
        skip(KERNELS, &format!("no emulator: {why}"), tally);
        return Ok(Vec::new());
    }
    let mut images = Vec::new();
    for arch in ARCHES {
        let kernels = super::of(*arch, KERNELS);
        let had = Root::open(*arch).and_then(|root| Ok((root, image::userland(*arch)?)));
        let (root, userland) = match had {
            Ok(had) => had,
            Err(why) => {
                skip(&kernels, &format!("no packages: {why}"), tally);
                continue;
            }
        };
        let programs = programs(&root)?;
        for kernel in kernels {
            match image::image(kernel, *arch, &userland, &programs, &cases(kernel)) {
                Ok(image) => images.push(image),
                Err(why) => skip(&[kernel], &format!("no kernel: {why}"), tally),
            }
        }
    }
    Ok(images)
}

/// Counts kernels as skipped; the reason in a line.
fn skip(kernels: &[Kernel], why: &str, tally: &mut Tally) {
    for kernel in kernels {
        let name = format!("vm {}", kernel.name);
        tally.skip(&name, why.lines().next().unwrap_or_default());
    }
}

/// Those of [`CASES`] that are right on this kernel.
fn cases(kernel: Kernel) -> Vec<String> {
    let right = |case: &&&str| reasons::why(kernel.name, case).is_none();
    let cases = CASES.iter().filter(right);
    cases.map(|case| (*case).to_owned()).collect()
}

/// Runs all guests, some at a time; their reports come as they end.
fn play_all(images: &[Image]) -> Result<Vec<Report>, String> {
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let next = Mutex::new(images.iter());
    let take = || next.lock().ok().and_then(|mut next| next.next());
    let play_some = || std::iter::from_fn(take).map(play).collect::<Vec<_>>();
    let reports = thread::scope(|scope| {
        let players = (0..AT_ONCE.min(processors)).map(|_| scope.spawn(play_some));
        let players: Vec<_> = players.collect();
        let joined = players.into_iter().map(thread::ScopedJoinHandle::join);
        joined.collect::<thread::Result<Vec<_>>>()
    });
    let reports = reports.map_err(|_| "a thread that ran guests panicked")?;
    reports.into_iter().flatten().collect()
}

/// Runs a guest, and shows in a line how it was, or all that went wrong.
fn play(image: &Image) -> Result<Report, String> {
    let report = guest::run(image, LONGEST, false)?;
    let (name, passed) = (report.kernel.name, report.count(Ending::Passed));
    if report.good() {
        let seconds = report.seconds;
        shell::put(&[format!("vm {name}: {passed} passed in {seconds} s")]);
    } else {
        table::print(std::slice::from_ref(&report));
    }
    Ok(report)
}

/// Counts the cases of a guest that was to play so many.
fn count(report: &Report, wanted: usize, tally: &mut Tally) -> Outcome {
    let name = format!("vm {}", report.kernel.name);
    let of = |ending| report.cases.iter().filter(move |c| c.ending == ending);
    for case in of(Ending::Skipped) {
        tally.skip(&format!("{name} {}", case.name), &case.reason);
    }
    for case in of(Ending::Failed) {
        tally.fail(&format!("{name} {}: {}", case.name, case.reason));
    }
    tally.pass(report.count(Ending::Passed) as u64);
    let played = report.cases.len();
    if !report.ended() {
        tally.fail(&format!("{name}: the guest did not come to its end"));
    } else if played != wanted {
        tally.fail(&format!("{name}: {played} of {wanted} cases were played"));
    } else if report.good() {
        return Ok(());
    }
    Err(format!("{name} is not well"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kernel_has_cases() {
        for kernel in KERNELS {
            let cases = cases(*kernel);
            assert!(cases.len() > CASES.len() / 2, "{kernel:?}: {cases:?}");
        }
    }

    #[test]
    fn only_a_guest_that_plays_all_is_well() {
        let count = |lines: &[&str], failed: u64| {
            let mut report = Report::new(KERNELS[0]);
            for line in lines {
                report.line(line);
            }
            let mut tally = Tally::default();
            let outcome = count(&report, 2, &mut tally);
            assert_eq!(tally.failed(), failed, "{lines:?}");
            assert_eq!(outcome.is_err(), failed > 0, "{lines:?}");
        };
        let (a, b) = ("ok devices/a (1.0 s)", "ok netns/b (1.0 s)");
        count(&[a, b, "GUEST_EXIT=0"], 0);
        count(&[a, "skipped netns/b: no such", "GUEST_EXIT=0"], 0);
        count(&[a, b], 1);
        count(&[a, "GUEST_EXIT=0"], 1);
        count(&["Kernel panic"], 1);
        count(&[a, "FAILED netns/b (1.0 s): no", "GUEST_EXIT=1"], 1);
    }
}
