//! The user who called sudo (sudo(8): `SUDO_UID`, `SUDO_GID`, `SUDO_USER`), or one that was named.

use super::{read, tables};

/// What a process needs to be of a user: ids, groups, home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    /// All groups, the own one included.
    pub groups: Vec<u32>,
    pub home: Option<String>,
}

impl Login {
    /// The caller of sudo; `None` when there is none, or it is root anyway.
    pub fn of_sudo() -> Option<Self> {
        let number = |name| std::env::var(name).ok()?.parse().ok();
        let (uid, gid) = (number("SUDO_UID")?, number("SUDO_GID")?);
        let name = std::env::var("SUDO_USER").ok()?;
        (uid != 0).then(|| Self::new(name, uid, gid, &read("/etc/passwd"), &read("/etc/group")))
    }

    /// The user of that name; `None` when there is none.
    pub fn named(name: &str) -> Option<Self> {
        let passwd = read("/etc/passwd");
        let (uid, gid) = tables::login(&passwd, name)?;
        Some(Self::new(
            name.to_owned(),
            uid,
            gid,
            &passwd,
            &read("/etc/group"),
        ))
    }

    fn new(name: String, uid: u32, gid: u32, passwd: &str, group: &str) -> Self {
        let mut groups: Vec<u32> = group
            .lines()
            .filter_map(|line| group_with(line, &name))
            .collect();
        groups.push(gid);
        groups.sort_unstable();
        groups.dedup();
        let home = tables::home(passwd, uid);
        Self {
            name,
            uid,
            gid,
            groups,
            home,
        }
    }
}

/// The id of the group on a line of group(5), if `name` is among its members.
fn group_with(line: &str, name: &str) -> Option<u32> {
    let mut fields = line.split(':').skip(2);
    let (gid, members) = (fields.next()?.parse().ok()?, fields.next()?);
    members
        .split(',')
        .any(|member| member == name)
        .then_some(gid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_home_come_from_the_tables() {
        let passwd = "root:x:0:0::/root:/bin/sh\nada:x:7:8:Ada:/home/ada:/bin/sh\n";
        let group = "adm:x:4:ada,bob\nsudo:x:27:bob\nada:x:8:\nvideo:x:44:bob,ada\n";
        let login = Login::new("ada".into(), 7, 8, passwd, group);
        assert_eq!(login.groups, [4, 8, 44]);
        assert_eq!(login.home.as_deref(), Some("/home/ada"));
    }
}
