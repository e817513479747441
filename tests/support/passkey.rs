//! A software authenticator and the browser before it, on ring. It does what the standard says, unless a test
//! tells it to forge: then everything else is right, and signed, so that one step alone can refuse it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom, SystemRandom},
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Map, Value, json};

use super::{client::Request, world::World};

/// The page that the tests are on, and the RP ID above it.
pub const ORIGIN: &str = "https://app.example.com";
pub const RP_ID: &str = "example.com";

pub const ES256: i64 = -7;
pub const EDDSA: i64 = -8;
pub const RS256: i64 = -257;

pub const UP: u8 = 0x01;
pub const UV: u8 = 0x04;
pub const BE: u8 = 0x08;
pub const BS: u8 = 0x10;
const AT: u8 = 0x40;

/// Made with openssl for the tests.
const RSA: &str = include_str!("../data/rsa_test_key_pkcs8.pem");

pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[track_caller]
pub fn decode(value: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value.as_str().expect("base64url")).expect("base64url")
}

pub fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

enum Key {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
}

/// A credential with its private key.
pub struct Credential {
    pub id: Vec<u8>,
    pub rp_id: String,
    pub user_handle: Vec<u8>,
    key: Key,
}

/// What is to be wrong, or unusual.
#[derive(Clone, Default)]
pub struct Forge {
    pub ceremony: Option<&'static str>,
    pub challenge: Option<Vec<u8>>,
    pub rp_id: Option<&'static str>,
    /// More fields of the client data.
    pub client_data: Map<String, Value>,
    pub no_user_handle: bool,
    pub user_handle: Option<Vec<u8>>,
    pub cose: Option<Vec<u8>>,
    /// The attestation object's `fmt` and `attStmt`.
    pub statement: Option<(&'static str, Vec<u8>)>,
    /// Self attestation instead of none.
    pub self_attestation: bool,
    /// Extensions in the authenticator data, as CBOR.
    pub extensions: Option<Vec<u8>>,
}

/// Allows passkeys, on [`ORIGIN`].
pub async fn allow(world: &World) {
    let passkey = json!({"enabled": true, "rp_id": RP_ID, "origins": [ORIGIN]});
    world.patch("/v1/instance", &json!({"multi_factor": {"passkey": passkey}})).await.expect(200);
}

/// Enrols a passkey for a user, with what else the call has; gives the factor's id.
pub async fn enrol(world: &World, authenticator: &mut Authenticator, user: &str, with: Value) -> String {
    let path = format!("/v1/users/{user}/factors");
    let mut body = with;
    body["type"] = json!("passkey");
    let enrolled = world.post(&path, &body).await.expect(201);
    let credential = authenticator.create(&enrolled["public_key"]);
    let factor = enrolled["factor"]["id"].as_str().unwrap().to_owned();
    let body = json!({"challenge_id": enrolled["challenge"]["id"], "credential": credential});
    let active = world.post(&format!("{path}/{factor}/activate"), &body).await.expect(200);
    assert_eq!((&active["type"], &active["status"]), (&json!("passkey"), &json!("active")));
    factor
}

/// A user with a passkey: the user's id, the factor's, and the authenticator that has it.
pub async fn user_with_passkey(world: &World) -> (String, String, Authenticator) {
    let user = world.post("/v1/users", &json!({})).await.expect(201)["id"].as_str().unwrap().to_owned();
    let mut authenticator = Authenticator::new(ORIGIN);
    let factor = enrol(world, &mut authenticator, &user, json!({})).await;
    (user, factor, authenticator)
}

/// An answer to a challenge.
pub fn answer(world: &World, challenge: &Value, credential: &Value) -> Request {
    let path = format!("/v1/challenges/{}/answer", challenge["id"].as_str().unwrap());
    world.request("POST", &path).json(&json!({"credential": credential}))
}

/// One person's authenticator, in a browser that shows a page of `origin`.
pub struct Authenticator {
    pub origin: String,
    /// The algorithm of the next credential.
    pub algorithm: i64,
    pub flags: u8,
    /// `None`: it has no counter.
    pub counter: Option<u32>,
    pub id_length: usize,
    /// The id of the next credential; random without.
    pub fixed_id: Option<Vec<u8>>,
    pub credentials: Vec<Credential>,
    pub forge: Forge,
}

impl Authenticator {
    pub fn new(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            algorithm: ES256,
            flags: UP | UV | BE | BS,
            counter: None,
            id_length: 32,
            fixed_id: None,
            credentials: Vec::new(),
            forge: Forge::default(),
        }
    }

    /// `navigator.credentials.create()` and `toJSON()`.
    #[track_caller]
    pub fn create(&mut self, options: &Value) -> Value {
        let offered = options["pubKeyCredParams"].as_array().expect("algorithms");
        assert!(offered.iter().any(|entry| entry["alg"] == self.algorithm), "the algorithm is not offered");
        let excluded = options["excludeCredentials"].as_array().cloned().unwrap_or_default();
        assert!(
            !excluded.iter().any(|entry| self.credentials.iter().any(|mine| mine.id == decode(&entry["id"]))),
            "InvalidStateError: it has a credential of this account"
        );
        let rp_id = options["rp"]["id"].as_str().expect("an RP ID").to_owned();
        let key = Key::generate(self.algorithm);
        let credential = Credential {
            id: self.fixed_id.clone().unwrap_or_else(|| random(self.id_length)),
            rp_id,
            user_handle: decode(&options["user"]["id"]),
            key,
        };
        let client_data = self.client_data("webauthn.create", options);
        let length = u16::try_from(credential.id.len()).unwrap().to_be_bytes();
        let cose = self.forge.cose.clone().unwrap_or_else(|| credential.key.cose());
        let attested = [&[0; 16], length.as_slice(), &credential.id, &cose].concat();
        let data = self.authenticator_data(&credential.rp_id, self.flags | AT, &attested);
        let hash = sha256(&client_data);
        let (format, statement) = match &self.forge.statement {
            Some(statement) => statement.clone(),
            None if self.forge.self_attestation => {
                let signature = credential.key.sign(&[data.as_slice(), &hash].concat());
                let alg = (text("alg"), integer(self.algorithm));
                ("packed", map(&[alg, (text("sig"), byte_string(&signature))]))
            }
            None => ("none", map(&[])),
        };
        let object =
            map(&[(text("fmt"), text(format)), (text("attStmt"), statement), (text("authData"), byte_string(&data))]);
        let id = encode(&credential.id);
        self.credentials.push(credential);
        json!({
            "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encode(&client_data), "attestationObject": encode(&object),
                "authenticatorData": encode(&data), "transports": ["internal"], "publicKeyAlgorithm": self.algorithm,
            },
        })
    }

    /// `navigator.credentials.get()` and `toJSON()`, with the newest credential that fits.
    #[track_caller]
    pub fn get(&mut self, options: &Value) -> Value {
        let allowed: Vec<Vec<u8>> =
            options["allowCredentials"].as_array().expect("a list").iter().map(|entry| decode(&entry["id"])).collect();
        let rp_id = options["rpId"].as_str().expect("an RP ID");
        let fits = |mine: &&Credential| mine.rp_id == rp_id && (allowed.is_empty() || allowed.contains(&mine.id));
        let chosen = self.credentials.iter().rposition(|mine| fits(&mine)).expect("NotAllowedError: no credential");
        self.get_with(chosen, options)
    }

    /// The same with a certain credential, allowed or not.
    pub fn get_with(&mut self, index: usize, options: &Value) -> Value {
        let client_data = self.client_data("webauthn.get", options);
        self.counter = self.counter.map(|counter| counter + 1);
        let credential = &self.credentials[index];
        let data = self.authenticator_data(&credential.rp_id, self.flags, &[]);
        let signature = credential.key.sign(&[data.as_slice(), &sha256(&client_data)].concat());
        let handle = self.forge.user_handle.clone().unwrap_or_else(|| credential.user_handle.clone());
        let handle = Some(handle).filter(|_| !self.forge.no_user_handle);
        let id = encode(&credential.id);
        json!({
            "id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encode(&client_data), "authenticatorData": encode(&data),
                "signature": encode(&signature), "userHandle": handle.map(|handle| encode(&handle)),
            },
        })
    }

    fn client_data(&self, ceremony: &str, options: &Value) -> Vec<u8> {
        let challenge = self.forge.challenge.clone().unwrap_or_else(|| decode(&options["challenge"]));
        let mut data = json!({
            "type": self.forge.ceremony.unwrap_or(ceremony), "challenge": encode(&challenge),
            "origin": self.origin, "crossOrigin": false,
        });
        data.as_object_mut().unwrap().extend(self.forge.client_data.clone());
        data.to_string().into_bytes()
    }

    fn authenticator_data(&self, rp_id: &str, flags: u8, attested: &[u8]) -> Vec<u8> {
        let (flags, extensions) = match &self.forge.extensions {
            Some(extensions) => (flags | 0x80, extensions.as_slice()),
            None => (flags, &[][..]),
        };
        let hash = sha256(self.forge.rp_id.unwrap_or(rp_id).as_bytes());
        let counter = self.counter.unwrap_or(0).to_be_bytes();
        [hash.as_slice(), &[flags], &counter, attested, extensions].concat()
    }
}

impl Key {
    fn generate(algorithm: i64) -> Self {
        let random = SystemRandom::new();
        match algorithm {
            ES256 => {
                let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random);
                Self::Es256(pair.unwrap())
            }
            EDDSA => {
                let pkcs8 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
                Self::EdDsa(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap())
            }
            RS256 => {
                let pem = postern::secret::Secret::new(RSA.to_owned());
                let key = postern::crypto::RsaPrivateKey::from_pem(&pem).unwrap();
                Self::Rs256(RsaKeyPair::from_pkcs8(key.expose()).unwrap())
            }
            algorithm => panic!("no algorithm {algorithm}"),
        }
    }

    fn cose(&self) -> Vec<u8> {
        match self {
            Self::Es256(pair) => {
                let point = pair.public_key().as_ref();
                map(&[
                    (integer(1), integer(2)),
                    (integer(3), integer(ES256)),
                    (integer(-1), integer(1)),
                    (integer(-2), byte_string(&point[1..33])),
                    (integer(-3), byte_string(&point[33..])),
                ])
            }
            Self::EdDsa(pair) => map(&[
                (integer(1), integer(1)),
                (integer(3), integer(EDDSA)),
                (integer(-1), integer(6)),
                (integer(-2), byte_string(pair.public_key().as_ref())),
            ]),
            Self::Rs256(pair) => {
                let public: ring::rsa::PublicKeyComponents<Vec<u8>> = pair.public().into();
                map(&[
                    (integer(1), integer(3)),
                    (integer(3), integer(RS256)),
                    (integer(-1), byte_string(&public.n)),
                    (integer(-2), byte_string(&public.e)),
                ])
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Es256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }
}

/// A new ES256 key in COSE.
pub fn es256_key() -> Vec<u8> {
    Key::generate(ES256).cose()
}

pub fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    SystemRandom::new().fill(&mut bytes).unwrap();
    bytes
}

fn head(major: u8, number: u64) -> Vec<u8> {
    let major = major << 5;
    match number {
        0..24 => vec![major | u8::try_from(number).unwrap()],
        24..0x100 => vec![major | 0x18, u8::try_from(number).unwrap()],
        _ => [&[major | 0x19], u16::try_from(number).unwrap().to_be_bytes().as_slice()].concat(),
    }
}

pub fn integer(number: i64) -> Vec<u8> {
    if number < 0 { head(1, (-1 - number).unsigned_abs()) } else { head(0, number.unsigned_abs()) }
}

pub fn byte_string(bytes: &[u8]) -> Vec<u8> {
    [head(2, bytes.len() as u64), bytes.to_vec()].concat()
}

pub fn text(text: &str) -> Vec<u8> {
    [head(3, text.len() as u64), text.as_bytes().to_vec()].concat()
}

pub fn map(pairs: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = head(5, pairs.len() as u64);
    for (key, value) in pairs {
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(value);
    }
    bytes
}
