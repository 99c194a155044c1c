//! Records, messages and frames that come in pieces.

/// Has so many bytes in the buffer, if it and `input` have enough of them; the input goes on behind what was taken.
pub fn fill(buffer: &mut Vec<u8>, input: &mut &[u8], len: usize) -> Option<()> {
    let missing = len.saturating_sub(buffer.len()).min(input.len());
    let (taken, rest) = input.split_at_checked(missing)?;
    buffer.extend_from_slice(taken);
    *input = rest;
    (buffer.len() >= len).then_some(())
}
