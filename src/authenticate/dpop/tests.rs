use super::*;
use crate::authenticate::jose::signature::Pure;

/// RFC 9449 §7.1.
const RFC_PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";

#[test]
fn d_02_the_example_of_rfc_9449() {
    let dpop = Dpop {
        algorithms: AlgorithmSet::EMPTY.with(Algorithm::Es256),
        window: Duration::from_secs(60),
        needs_nonce: false,
        origin: "https://resource.example.org".into(),
    };
    let target = Target {
        method: b"GET",
        path: b"/protectedresource",
    };
    let token = b"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    let issued = Timestamp::from_seconds(1_562_262_618);
    let proof = dpop.verify(RFC_PROOF.as_bytes(), &target, token, &Pure, issued);
    let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    assert_eq!(
        proof,
        Ok(Proof {
            thumbprint: base64url::decode_sha256(jkt).unwrap(),
            jti: "e1j3V_bKic8-LAEB".into(),
            until: Timestamp::from_millis(1_562_262_688_001),
            nonce: None,
        })
    );
}
