//! Compressed captures: gzip, zstd and lz4 frames, told by their first bytes.
//!
//! Promises: several members or frames one after the other are one file; what was stored before
//! a fault comes out before the error; memory is bounded by the format's window (zstd: at most
//! 100 MiB, and 8 MiB unless a file was compressed for more). Source: RFC 1952, RFC 8878, the LZ4
//! frame format 1.6.4.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;
use lz4_flex::frame::FrameDecoder as Lz4;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const LZ4: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
/// An empty last block, and room for a checksum: with it the decoder gives what it still holds.
const LAST_BLOCK: &[u8] = &[1, 0, 0, 0, 0, 0, 0];

type Buffered<R> = BufReader<io::Chain<Cursor<Vec<u8>>, R>>;

/// The bytes of a file, uncompressed if they were compressed.
pub struct Decompress<R: Read>(Kind<R>);

enum Kind<R: Read> {
    /// The first bytes were read already.
    Plain(Cursor<Vec<u8>>, R),
    Gzip(MultiGzDecoder<Buffered<R>>),
    Zstd(Box<Zstd<Buffered<R>>>),
    Lz4(Box<Lz4<Buffered<R>>>),
}

impl<R: Read> Decompress<R> {
    /// Looks at the first four bytes of a stream.
    ///
    /// # Errors
    /// As reading them.
    pub fn new(mut source: R) -> io::Result<Self> {
        let mut start = Vec::new();
        source.by_ref().take(4).read_to_end(&mut start)?;
        let is_gzip = start.starts_with(GZIP);
        let magic: Option<[u8; 4]> = start.first_chunk().copied();
        let start = Cursor::new(start);
        Ok(Self(match magic {
            _ if is_gzip => Kind::Gzip(MultiGzDecoder::new(buffered(start, source))),
            Some(ZSTD) => Kind::Zstd(Box::new(Zstd::new(buffered(start, source)))),
            Some(LZ4) => Kind::Lz4(Box::new(Lz4::new(buffered(start, source)))),
            _ => Kind::Plain(start, source),
        }))
    }
}

fn buffered<R: Read>(start: Cursor<Vec<u8>>, source: R) -> Buffered<R> {
    BufReader::with_capacity(64 * 1024, start.chain(source))
}

impl<R: Read> std::fmt::Debug for Decompress<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Kind::Plain(..) => "Plain",
            Kind::Gzip(_) => "Gzip",
            Kind::Zstd(_) => "Zstd",
            Kind::Lz4(_) => "Lz4",
        })
    }
}

impl<R: Read> Read for Decompress<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Plain(start, source) => {
                let read = start.read(buffer)?;
                let rest = buffer.get_mut(read..).unwrap_or_default();
                match source.read(rest) {
                    Ok(more) => Ok(read + more),
                    // It will say so again.
                    Err(_) if read > 0 => Ok(read),
                    Err(error) => Err(error),
                }
            }
            Kind::Gzip(decoder) => decoder.read(buffer),
            Kind::Zstd(decoder) => decoder.read(buffer),
            Kind::Lz4(decoder) => match decoder.read(buffer)? {
                // The end of a frame, if there are more.
                0 => decoder.read(buffer),
                read => Ok(read),
            },
        }
    }
}

/// A stream of zstd frames.
struct Zstd<R> {
    source: R,
    frame: FrameDecoder,
    state: ZstdState,
}

enum ZstdState {
    BetweenFrames,
    InFrame,
    /// To be told when all that was decoded is out.
    Failed(Option<io::Error>),
}

impl<R: BufRead> Zstd<R> {
    fn new(source: R) -> Self {
        Self {
            source,
            frame: FrameDecoder::new(),
            state: ZstdState::BetweenFrames,
        }
    }

    /// Starts the next frame; frames that hold no data are passed over. `false` at the end.
    fn start(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.frame.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let mut skipped = self.source.by_ref().take(u64::from(length));
                    io::copy(&mut skipped, &mut io::sink())?;
                }
                Err(error) => return Err(worded(&error)),
            }
        }
        Ok(false)
    }

    fn decode_block(&mut self) {
        let one = || BlockDecodingStrategy::UptoBlocks(1);
        if let Err(error) = self.frame.decode_blocks(&mut self.source, one()) {
            let _ = self.frame.decode_blocks(LAST_BLOCK, one());
            self.state = ZstdState::Failed(Some(worded(&error)));
        }
    }
}

fn worded(error: &FrameDecoderError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("zstd: {error}"))
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if self.frame.can_collect() > 0 {
                return self.frame.read(buffer);
            }
            match &mut self.state {
                ZstdState::BetweenFrames => {
                    if !self.start()? {
                        return Ok(0);
                    }
                    self.state = ZstdState::InFrame;
                }
                ZstdState::InFrame if self.frame.is_finished() => {
                    self.state = ZstdState::BetweenFrames;
                }
                ZstdState::InFrame => self.decode_block(),
                ZstdState::Failed(error) => return error.take().map_or(Ok(0), Err),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::*;

    /// `bytes` through a program; `None`, and a line that says so, when it is not installed.
    fn compressed(program: &str, args: &[&str], bytes: &[u8]) -> Option<Vec<u8>> {
        let child = Command::new(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            println!("skipped: there is no {program}");
            return None;
        };
        let mut stdin = child.stdin.take().unwrap();
        let bytes = bytes.to_vec();
        let feeder = std::thread::spawn(move || stdin.write_all(&bytes).unwrap());
        let output = child.wait_with_output().unwrap();
        feeder.join().unwrap();
        assert!(output.status.success());
        Some(output.stdout)
    }

    /// What comes out, and whether an error ended it.
    fn expanded(bytes: &[u8]) -> (Vec<u8>, bool) {
        let mut out = Vec::new();
        let mut source = Decompress::new(bytes).unwrap();
        let failed = source.read_to_end(&mut out).is_err();
        assert!(source.read_to_end(&mut Vec::new()).is_ok() || failed);
        (out, failed)
    }

    /// Bytes that compress to about half.
    fn sample(len: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_le_bytes()[3] & 0x0f
        };
        (0..len).map(|_| next()).collect()
    }

    const PROGRAMS: [(&str, &[&str]); 6] = [
        ("gzip", &["-c"]),
        ("zstd", &["-q", "-c"]),
        ("zstd", &["-q", "-c", "--long=24", "-19"]),
        ("lz4", &["-q", "-c"]),
        ("lz4", &["-q", "-c", "-BD", "-B4", "-BX"]),
        ("zstd", &["-q", "-c", "--no-check"]),
    ];

    #[test]
    fn what_was_compressed_comes_out() {
        for length in [0, 1, 100, 600_000] {
            let bytes = sample(length);
            assert_eq!(expanded(&bytes), (bytes.clone(), false));
            for (program, args) in PROGRAMS {
                let Some(packed) = compressed(program, args, &bytes) else {
                    continue;
                };
                let (out, failed) = expanded(&packed);
                assert!(out == bytes && !failed, "{program} {args:?} {length}");
                let twice = [packed.as_slice(), &packed].concat();
                let (out, failed) = expanded(&twice);
                let wanted = [bytes.as_slice(), &bytes].concat();
                assert!(
                    out == wanted && !failed,
                    "{program} {args:?} {length} twice"
                );
            }
        }
    }

    #[test]
    fn what_stood_before_a_fault_comes_out_first() {
        let bytes = sample(600_000);
        for (program, args) in PROGRAMS {
            let Some(packed) = compressed(program, args, &bytes) else {
                continue;
            };
            let (out, failed) = expanded(packed.get(..packed.len() * 9 / 10).unwrap());
            assert!(failed, "{program} {args:?}");
            // lz4's blocks are up to 4 MiB, of which only whole ones can be had.
            let least = if program == "lz4" { 0 } else { 400_000 };
            assert!(out.len() >= least, "{program} {args:?}: {}", out.len());
            assert_eq!(bytes.get(..out.len()), Some(&out[..]), "{program}");
        }
    }

    #[test]
    fn frames_without_data_are_passed_over() {
        let Some(packed) = compressed("zstd", &["-q", "-c"], b"data") else {
            return;
        };
        let skipped = [0x51, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        let all = [&packed[..], &skipped, &packed].concat();
        assert_eq!(expanded(&all), (b"datadata".to_vec(), false));
    }
}
