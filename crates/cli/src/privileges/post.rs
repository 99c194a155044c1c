//! A thread that does what others may not.

use std::io;
use std::sync::OnceLock;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

type Job = Box<dyn FnOnce() + Send>;

/// Where jobs are handed in; whoever does so waits for the result.
#[derive(Debug)]
pub struct Post(OnceLock<SyncSender<Job>>);

impl Post {
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Starts the thread, which begins with `first`. Only the first call does anything.
    ///
    /// # Errors
    /// There is no room for a thread.
    pub fn start(
        &self,
        name: &'static str,
        first: impl FnOnce() + Send + 'static,
    ) -> io::Result<()> {
        if self.has_begun() {
            return Ok(());
        }
        let (jobs, handed) = sync_channel::<Job>(0);
        thread::Builder::new().name(name.into()).spawn(move || {
            first();
            for job in handed {
                job();
            }
        })?;
        // Nobody else starts it: we are asked once, before there are others.
        let _ = self.0.set(jobs);
        Ok(())
    }

    pub fn has_begun(&self) -> bool {
        self.0.get().is_some()
    }

    /// Has a job done there, and here before the thread has begun.
    ///
    /// # Errors
    /// The thread has failed, at this job or before.
    pub fn run<R: Send + 'static>(
        &self,
        job: impl FnOnce() -> R + Send + 'static,
    ) -> io::Result<R> {
        let Some(jobs) = self.0.get() else {
            return Ok(job());
        };
        let gone = || io::Error::other("the thread with privileges has ended");
        let (give, result) = sync_channel(1);
        let job = move || {
            let _ = give.send(job());
        };
        jobs.send(Box::new(job)).map_err(|_| gone())?;
        result.recv().map_err(|_| gone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_done_there() {
        let post = Post::new();
        let name = || thread::current().name().map(str::to_owned);
        assert_eq!(post.run(name).unwrap(), name());
        post.start("elsewhere", || {}).unwrap();
        assert_eq!(post.run(name).unwrap().as_deref(), Some("elsewhere"));
    }

    #[test]
    fn a_thread_that_fails_is_an_error() {
        let post = Post::new();
        post.start("failing", || {}).unwrap();
        let failed: io::Result<()> = post.run(|| std::panic::resume_unwind(Box::new(())));
        assert!(failed.is_err());
        assert!(post.run(|| ()).is_err());
    }
}
