//! What endless files make us hold. A program of its own, since it measures its whole memory.

#[cfg(test)]
#[expect(dead_code, reason = "most of it is for the other tests")]
#[path = "files/support.rs"]
mod support;

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use pktwho_capfile::Error;

    use super::support::Order::Little;
    use super::support::*;

    /// Resident memory of this process, in bytes.
    fn resident() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// A section with one device, then `block` again and again.
    fn repeated(block: Vec<u8>, times: usize) -> impl Read {
        struct Again {
            block: Cursor<Vec<u8>>,
            times: usize,
        }
        impl Read for Again {
            fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
                let read = self.block.read(to)?;
                if read > 0 || self.times == 0 {
                    return Ok(read);
                }
                self.times -= 1;
                self.block.set_position(0);
                self.block.read(to)
            }
        }
        let start = [section(Little), interface(Little, 1, 0, &[])].concat();
        Cursor::new(start).chain(Again {
            block: Cursor::new(block),
            times,
        })
    }

    #[test]
    fn endless_process_blocks_are_forgotten() {
        let process = |comment: &str| {
            let body = [
                &1_u32.to_le_bytes()[..],
                &option(Little, 1, comment.as_bytes()),
            ];
            block(Little, 0x8000_0001, &body.concat())
        };
        let before = resident();
        // Empty arguments take eight times more memory than file, long ones a little less.
        let many = format!("{{\"pid\":1,\"args\":[{}\"\"]}}", "\"\",".repeat(20_000));
        let long = format!("{{\"pid\":1,\"args\":[\"{}\"]}}", "x".repeat(60_000));
        for (comment, times) in [(many, 1000), (long, 4000)] {
            let (_, result) = drain(repeated(process(&comment), times));
            assert!(result.is_ok());
        }
        let (_, result) = drain(repeated(process("{\"pid\":1}"), 300_000));
        assert!(result.is_ok());
        let grown = resident().saturating_sub(before);
        assert!(grown < 200 << 20, "grown by {grown} bytes");
    }

    #[test]
    fn endless_devices_are_refused() {
        let before = resident();
        let options = [
            option(Little, 2, &[0xff; 2000]),
            option(Little, 3, &[b'x'; 2000]),
        ];
        let (_, result) = drain(repeated(
            interface(Little, 1, 0, &options.concat()),
            100_000,
        ));
        let grown = resident().saturating_sub(before);
        assert!(grown < 200 << 20, "grown by {grown} bytes");
        assert!(matches!(
            result,
            Err(Error::TooManyInterfaces { maximum: 65_536 })
        ));
    }
}
