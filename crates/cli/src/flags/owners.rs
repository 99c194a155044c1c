//! Flags that choose packets by the process at one of their ends.

use super::{Compat, Flag, list};

pub(super) const FLAGS: &[Flag] = &[
    Flag {
        short: None,
        long: Some("pid"),
        value: Some("pid"),
        help: "Only packets of this process; several: a comma list, or the flag again",
        man: "A packet is taken when the process that sends or receives it matches. Of --pid, \
              --pname and --uid, each given several times, one value of each has to match.",
        compat: Compat::Ours,
        apply: |args, value| {
            let wrong = |text: &str| format!("invalid process id {text}");
            for part in list(&value, wrong)? {
                let pid = part.parse().ok().filter(|&pid: &u32| pid > 0);
                args.pids.push(pid.ok_or_else(|| wrong(part))?);
            }
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("pname"),
        value: Some("name"),
        help: "Only packets of processes of this name; may be given several times",
        man: "The name of the process (not only of one of its threads), or the whole file name \
              of its executable, however long.",
        compat: Compat::Ours,
        apply: |args, value| {
            if value.is_empty() {
                return Err("invalid process name: it is empty".to_owned());
            }
            args.pnames.push(value);
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("uid"),
        value: Some("user"),
        help: "Only packets of processes of this user, a number or a name; repeatable",
        man: "",
        compat: Compat::Ours,
        apply: |args, value| {
            let wrong = |text: &str| format!("invalid user {text}");
            for part in list(&value, wrong)? {
                args.uids.push(part.into());
            }
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("follow-forks"),
        value: None,
        help: "With these filters: packets of the processes that they start as well",
        man: "",
        compat: Compat::Ours,
        apply: |args, _| {
            args.follow_forks = true;
            Ok(())
        },
    },
    Flag {
        short: Some('f'),
        long: None,
        value: None,
        help: "With a process filter or a command: --follow-forks. Else: numbers for \
               foreign IPv4 addresses",
        man: "An address is foreign when it is in none of the networks of the devices captured on.",
        compat: Compat::Differs("with a process filter or a command it means --follow-forks"),
        apply: |args, _| {
            args.f = true;
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("context"),
        value: Some("list"),
        help: "What to show and store of owners: process,thread,parentproc,user,container,pod",
        man: "A comma list; an empty one shows and stores nothing. All by default; the user and \
              the details are printed with -v. Without process, of the others only the container \
              and the pod are left.",
        compat: Compat::Ours,
        apply: |args, value| {
            let mut contexts = crate::args::Contexts::NONE;
            for name in value.to_string_lossy().split(',').filter(|n| !n.is_empty()) {
                match name {
                    "process" => contexts.process = true,
                    "thread" => contexts.thread = true,
                    "parentproc" => contexts.parent = true,
                    "user" => contexts.user = true,
                    "container" => contexts.container = true,
                    "pod" => contexts.pod = true,
                    _ => return Err(format!("unknown context `{name}'")),
                }
            }
            args.contexts = Some(contexts);
            Ok(())
        },
    },
];
