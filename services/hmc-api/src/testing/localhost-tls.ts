/**
 * A certificate for localhost and 127.0.0.1 that nobody trusts, and its key: for tests only. Made by
 * `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=localhost
 * -addext subjectAltName=DNS:localhost,IP:127.0.0.1`.
 */
import type { Tls } from '@fadump-lab/shared/http'

export const localhostTls: Tls = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUIH0KbA0bbfwqb3cheRTIx5Rcy4QwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzEyMDYxMFoYDzIxMjYxMDMw
MTIwNjEwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQgWbYZZM3TDDrn2U/t3y39Iqi/ikmLMTCGh7qvhd4Xl4w4q9+uSiEy
nrC0AdnXdIC7wx37SI+q0mjwF+6s0zhTo28wbTAdBgNVHQ4EFgQUed08moZGKaM8
pI8UpzyDNe+7VF0wHwYDVR0jBBgwFoAUed08moZGKaM8pI8UpzyDNe+7VF0wDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSQAwRgIhALAicXNTsieI+NbpoL7f1JoCaUdKE1B9oI0SZ5voDCzyAiEA
0okRRw+E6fSVOhaWKrEeUwTfbiRkzog0ZMMGONPoWlk=
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg4+N+K9ZicY/7bgBb
9sE5ff4TQozeiRd+AaPhLDTFOr2hRANCAAQgWbYZZM3TDDrn2U/t3y39Iqi/ikmL
MTCGh7qvhd4Xl4w4q9+uSiEynrC0AdnXdIC7wx37SI+q0mjwF+6s0zhT
-----END PRIVATE KEY-----
`,
}
