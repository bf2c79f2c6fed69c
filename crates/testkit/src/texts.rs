//! Texts that are known for trouble, and generated ones, the same in each run.

/// Texts as code points, because lone surrogates are among them.
pub fn nasty() -> Vec<Vec<u32>> {
    let known: [&[u32]; 14] = [
        &[0xd800],
        &[0xdc00, 0xd800],
        &[0x61, 0xdbff],
        &[0],
        &[0, 0x61, 0],
        &[0x1e],
        &[0xfffe, 0xffff, 0xfffd],
        &[0x2028, 0x2029, 0x85],
        &[0x22, 0x5c, 0x2f, 0x8],
        &[0x0d, 0x0a, 0x0d],
        &[0x202e, 0x65, 0x301, 0x200d],
        &[0x1f926, 0x1f3fd, 0x0010_ffff],
        &[0x1b, 0x5b, 0x33, 0x31, 0x6d],
        &[],
    ];
    let mut texts: Vec<Vec<u32>> = known.iter().map(|text| text.to_vec()).collect();
    let mut seed: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = |below: u32| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        u32::try_from(seed >> 33).unwrap() % below
    };
    for _ in 0..10 {
        let length = next(12) + 1;
        let one = (0..length).map(|_| match next(6) {
            0 => next(0x20),
            1 => 0x20 + next(0x60),
            2 => 0xd800 + next(0x800),
            3 => 0x80 + next(0x700),
            4 => next(0x1_0000),
            _ => 0x1_0000 + next(0x10_0000),
        });
        texts.push(joined(&one.collect::<Vec<_>>()));
    }
    texts
}

/// As UTF-16 reads it: two halves of a pair that meet are one character.
fn joined(points: &[u32]) -> Vec<u32> {
    let mut units = Vec::new();
    for &point in points {
        match char::from_u32(point) {
            Some(known) => units.extend_from_slice(known.encode_utf16(&mut [0; 2])),
            None => units.push(u16::try_from(point).unwrap()),
        }
    }
    let point = |read: Result<char, std::char::DecodeUtf16Error>| {
        read.map_or_else(|lone| u32::from(lone.unpaired_surrogate()), u32::from)
    };
    char::decode_utf16(units).map(point).collect()
}

/// The text with each lone surrogate as `lone` writes it.
pub fn with(text: &[u32], lone: impl Fn(u32) -> String) -> String {
    let write = |&point: &u32| char::from_u32(point).map_or_else(|| lone(point), String::from);
    text.iter().map(write).collect()
}

/// The text with an escape for each lone surrogate, as JSON and Python write it.
pub fn escaped(text: &[u32]) -> String {
    with(text, |point| format!("\\u{point:04x}"))
}
