//! What `--context` leaves of an owner for a file.

use std::sync::Arc;

use pktwho_packet::{Container, Owner, Process, ThreadName};
use pktwho_print::Context;

/// An owner with only the facts that were asked for.
pub fn reduced<'a>(
    owner: Option<Owner<'a>>,
    context: Context,
    process: &'a mut Process,
) -> Option<Owner<'a>> {
    let owner = owner?;
    let container = reduced_container(owner.process, context);
    if !context.process {
        // A file ties a container to a packet by a process: its number is all that is told.
        *process = Process {
            id: owner.process.id,
            serial: owner.process.serial,
            container: Some(container?),
            ..Process::default()
        };
        return Some(Owner {
            process,
            parent: None,
            tid: 0,
            thread: ThreadName::default(),
            uid: None,
            confidence: owner.confidence,
        });
    }
    process.clone_from(owner.process);
    process.container = container;
    process.parent = process.parent.filter(|_| context.parent);
    process.uid = process.uid.filter(|_| context.user);
    Some(Owner {
        process,
        parent: owner.parent.filter(|_| context.parent),
        tid: if context.thread { owner.tid } else { 0 },
        thread: if context.thread {
            owner.thread
        } else {
            ThreadName::default()
        },
        uid: owner.uid.filter(|_| context.user),
        confidence: owner.confidence,
    })
}

/// What of its container was asked for.
fn reduced_container(process: &Process, context: Context) -> Option<Arc<Container>> {
    let whole = process.container.as_ref()?;
    match (context.container, context.pod) {
        (true, true) => Some(Arc::clone(whole)),
        (false, false) => None,
        (true, false) => Some(Arc::new(Container {
            pod: None,
            ..Container::clone(whole)
        })),
        (false, true) => whole.pod.as_ref().map(|pod| {
            Arc::new(Container {
                id: whole.id.clone(),
                pod: Some(pod.clone()),
                ..Container::default()
            })
        }),
    }
}

#[cfg(test)]
mod tests {
    use pktwho_packet::{Confidence, ProcessId};

    use super::*;

    #[test]
    fn only_the_facts_asked_for_are_stored() {
        let parent = Some(ProcessId { pid: 1, start: 2 });
        let known = Process {
            parent,
            uid: Some(3),
            ..Process::default()
        };
        let owner = Owner {
            process: &known,
            parent: Some(&known),
            tid: 4,
            thread: ThreadName::new(b"t"),
            uid: Some(5),
            confidence: Confidence::Exact,
        };
        let reduce = |context| {
            let mut process = Process::default();
            let owner = reduced(Some(owner), context, &mut process)?;
            let parents = (owner.process.parent, owner.parent.is_some());
            let users = (owner.process.uid, owner.uid);
            Some((parents, users, owner.tid, owner.thread.as_bytes().len()))
        };
        let process = Context {
            process: true,
            ..Context::NONE
        };
        assert_eq!(reduce(Context::NONE), None);
        let all = ((parent, true), (Some(3), Some(5)), 4, 1);
        assert_eq!(reduce(Context::default()), Some(all));
        let bare = ((None, false), (None, None), 0, 0);
        assert_eq!(reduce(process), Some(bare));
        let user = Context {
            user: true,
            ..process
        };
        assert_eq!(reduce(user), Some((bare.0, all.1, 0, 0)));
    }
}
