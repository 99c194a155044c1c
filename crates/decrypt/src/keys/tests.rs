use super::*;
use crate::suite::Aead;
use crate::tests::bytes;

fn suite(number: u16) -> Suite {
    Suite::from_number(number).unwrap()
}

/// RFC 8448 section 3: keys of the handshake and of the data, and a record of the client.
#[test]
fn keys_are_those_of_rfc_8448() {
    for (secret, key, iv) in [
        (
            "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21",
            "dbfaa693d1762c5b666af5d950258d01",
            "5bd3c71b836e0b76bb73265f",
        ),
        (
            "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38",
            "3fce516009c21727d0f2e4e86ee403bc",
            "5d313eb2671276ee13000b30",
        ),
        (
            "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5",
            "17422dda596ed5d9acd890e3c63f5051",
            "5b78923dee08579033e523d9",
        ),
    ] {
        let secret = bytes(secret);
        let mut found = [0; 16];
        expand_label(Hash::Sha256, &secret, "key", &mut found).unwrap();
        assert_eq!(found.to_vec(), bytes(key));
        let mut found = [0; 12];
        expand_label(Hash::Sha256, &secret, "iv", &mut found).unwrap();
        assert_eq!(found.to_vec(), bytes(iv));
    }
    let secret = bytes("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5");
    let cipher = tls13(suite(0x1301), &secret).unwrap();
    let record = bytes(
        "a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b6297\
         4e1f5a6292a2977014bd1e3deae63aeebb21694915e4",
    );
    let mut plain = Vec::new();
    assert!(cipher.open(0, (23, 0x0303), &record, &mut plain));
    let mut expected: Vec<u8> = (0..0x32).collect();
    expected.push(23);
    assert_eq!(plain, expected);
    // Another number, another header, a changed byte.
    assert!(!cipher.open(1, (23, 0x0303), &record, &mut plain));
    assert!(!cipher.open(0, (23, 0x0301), &record, &mut plain));
    let mut changed = record.clone();
    changed[7] ^= 1;
    assert!(!cipher.open(0, (23, 0x0303), &changed, &mut plain));
    for end in 0..record.len() {
        assert!(!cipher.open(0, (23, 0x0303), &record[..end], &mut plain));
        assert!(plain.is_empty());
    }
}

/// A known output of TLS 1.2's function with SHA-256 (the vector that implementations share).
#[test]
fn the_function_of_tls_1_2() {
    let secret = bytes("9bbe436ba940f017b17652849a71db35");
    let mut seed = b"test label".to_vec();
    seed.extend(bytes("a0ba9f936cda311827a6f796ffd5198c"));
    let found = prf(hmac_sha256, &secret, &seed, 100);
    let expected = "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9\
                    c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789ba\
                    a48082d122ee42c5a72e5a5110fff70187347b66";
    assert_eq!(found, bytes(expected));
}

#[test]
fn secrets_of_another_length_are_refused() {
    assert!(tls13(suite(0x1301), &[1; 48]).is_none());
    assert!(tls13(suite(0x1302), &[1; 32]).is_none());
    assert!(tls13(suite(0x1302), &[1; 48]).is_some());
    assert_eq!(next_generation(suite(0x1302), &[1; 48]).unwrap().len(), 48);
    let random = [7; 32];
    for (number, aead) in [(0xc02f, Aead::Aes128Gcm), (0xcca8, Aead::ChaCha20Poly1305)] {
        assert_eq!(suite(number).aead(), Some(aead));
    }
    let server = ServerHello {
        session: None,
        random,
        version: 0x0303,
        suite: 0,
        retry: false,
        encrypt_then_mac: false,
    };
    for number in [0xc02f, 0xcca8, 0xc013, 0xc028] {
        let cipher = tls12(suite(number), &[1; 48], (&random, &server), false);
        assert!(cipher.is_some(), "{number:#x}");
    }
}
