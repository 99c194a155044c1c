//! Where fields of kernel structures lie that only some captures need.
//!
//! Source: the running kernel's types (`/sys/kernel/btf/vmlinux`). What every capture needs libbpf
//! relocates (CO-RE, `bpf/kernel.h`), which costs every start a search for each type.

use libbpf_rs::btf::types::{Composite, MemberAttr, Struct};
use libbpf_rs::btf::{Btf, TypeId};

use crate::Error;

/// From a packet to the number of its device's network namespace, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToNetns {
    /// `sk_buff.dev`
    pub skb_dev: u16,
    /// `net_device.nd_net`
    pub dev_net: u16,
    /// `net.ns.inum`
    pub net_inum: u16,
}

/// Structures without a name may lie in each other this deep.
const DEPTH: u32 = 8;

impl ToNetns {
    /// # Errors
    /// The kernel does not say.
    pub fn find() -> Result<Self, Error> {
        let load = |what: &str| Error::Load {
            reason: format!("the kernel's types do not tell {what}"),
        };
        let btf = Btf::from_vmlinux().map_err(|error| load(&error.to_string()))?;
        let offset = |structure: &str, field: &str| {
            let found = btf.type_by_name::<Struct<'_>>(structure);
            let found = found.and_then(|found| member(&btf, &found.into(), field, DEPTH));
            found.ok_or_else(|| load(&format!("{structure}.{field}")))
        };
        let net_ns = offset("net", "ns")?;
        let inum = offset("ns_common", "inum")?;
        Ok(Self {
            skb_dev: offset("sk_buff", "dev")?,
            dev_net: offset("net_device", "nd_net")?,
            net_inum: net_ns.saturating_add(inum),
        })
    }
}

/// The offset of a member, also of one in a structure without a name.
fn member(btf: &Btf<'_>, of: &Composite<'_>, name: &str, depth: u32) -> Option<u16> {
    for member in of.iter() {
        let MemberAttr::Normal { offset } = member.attr else {
            continue;
        };
        let offset = u16::try_from(offset / 8).ok()?;
        match member.name {
            Some(found) if found == name => return Some(offset),
            Some(found) if !found.is_empty() => {}
            _ if depth > 0 => {
                let inner = nameless(btf, member.ty);
                let inner = inner.and_then(|inner| self::member(btf, &inner, name, depth - 1));
                if let Some(inner) = inner {
                    return offset.checked_add(inner);
                }
            }
            _ => {}
        }
    }
    None
}

fn nameless<'b>(btf: &'b Btf<'_>, id: TypeId) -> Option<Composite<'b>> {
    btf.type_by_id::<Composite<'_>>(id)
}

#[cfg(test)]
mod tests {
    use super::ToNetns;

    #[test]
    fn found_in_this_kernel() {
        if !std::path::Path::new("/sys/kernel/btf/vmlinux").exists() {
            return;
        }
        let offsets = ToNetns::find().unwrap();
        assert!(offsets.net_inum > 0 && offsets.dev_net > 0, "{offsets:?}");
    }
}
