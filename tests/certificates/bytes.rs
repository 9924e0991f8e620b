//! The file of a certificate: the same for the same proof, and harmless whatever is in it.

use proptest::prelude::*;
use reachproof_checker::verify;
use reachproof_model::certificate::{read_certificate, write_certificate};
use sha2::{Digest, Sha256};

use crate::support::{certificates, examples};

/// Bytes before the payload, and where the digest of that stands in them.
const HEADER: usize = 52;
const DIGEST: usize = 20;

fn file() -> Vec<u8> {
    let (_, snapshot, forms) = examples().into_iter().next().unwrap();
    write_certificate(&certificates(&snapshot, &forms)[0].1).unwrap()
}

/// The file with a header that fits its payload.
fn sealed(mut file: Vec<u8>) -> Vec<u8> {
    let length = u64::try_from(file.len() - HEADER).unwrap();
    let digest = Sha256::digest(&file[HEADER..]);
    file[DIGEST - 8..DIGEST].copy_from_slice(&length.to_le_bytes());
    file[DIGEST..HEADER].copy_from_slice(&digest);
    file
}

#[test]
fn what_is_written_is_read_and_does_not_depend_on_threads() {
    for (_, snapshot, forms) in examples() {
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| certificates(&snapshot, &forms))
        };
        for ((_, one), (_, two)) in with(1).iter().zip(with(2)) {
            let bytes = write_certificate(one).unwrap();
            assert_eq!(bytes, write_certificate(&two).unwrap());
            assert_eq!(read_certificate("x.cert", &bytes).unwrap(), *one);
        }
    }
}

#[test]
fn damage_is_named() {
    let whole = file();
    let fault = |bytes: &[u8]| read_certificate("x.cert", bytes).unwrap_err().to_string();
    assert!(fault(&whole[..whole.len() - 1]).contains("cut off"));
    assert!(fault(&whole[..30]).contains("cut off"));
    let mut flipped = whole.clone();
    flipped[HEADER + 10] ^= 1;
    assert!(fault(&flipped).contains("damaged"));
    let mut foreign = whole.clone();
    foreign[10] = 9;
    assert!(fault(&foreign).contains("format version 9"));
    let mut kind = whole.clone();
    kind[8] = 1;
    assert!(fault(&kind).contains("kind 1"));
    let mut rules = whole;
    rules[HEADER] = 7;
    assert!(fault(&sealed(rules)).contains("version 7 of the rules"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn hostile_bytes_are_an_error_or_a_certificate(at in 0_usize..4096, byte: u8, cut in 0_usize..4096) {
        let mut bytes = file();
        let payload = bytes.len() - HEADER;
        bytes[HEADER + at % payload] = byte;
        bytes.truncate(bytes.len() - if cut % 4 == 0 { cut % payload } else { 0 });
        if let Ok(certificate) = read_certificate("x.cert", &sealed(bytes)) {
            let (_, snapshot, _) = examples().into_iter().next().unwrap();
            let _ = verify(&certificate, &snapshot);
        }
    }
}
