//! Where a key's records go: as Java's clients place them, so that whoever produces, they share a partition.

/// The place of a key among `partitions` partitions.
pub(crate) fn place(key: &[u8], partitions: usize) -> usize {
    // Java makes the number positive by dropping its sign bit.
    (murmur2(key) & 0x7fff_ffff) as usize % partitions.max(1)
}

/// Kafka's MurmurHash2, 32 bits.
fn murmur2(data: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    let mut hash = SEED ^ data.len() as u32;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (n, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * n);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_hash_as_in_kafka_s_own_clients() {
        // The cases of Kafka's UtilsTest.
        for (key, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()).cast_signed(), hash, "{key}");
        }
    }

    #[test]
    fn a_key_has_one_place_and_keys_spread() {
        let places: Vec<usize> = (0..100).map(|n| place(format!("2126000000{n:02}").as_bytes(), 4)).collect();
        assert!((0..4).all(|partition| places.contains(&partition)) && places.iter().all(|place| *place < 4));
        assert_eq!(place(b"212600000001", 4), place(b"212600000001", 4));
    }
}
