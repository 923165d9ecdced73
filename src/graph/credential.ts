/** How the application proves itself to Microsoft. Files are read at each use, so that they can be replaced while we run. */
export type Credential =
  | { readonly kind: 'secret'; readonly secret: string }
  /** A PEM file that holds the certificate and its private key. */
  | { readonly kind: 'certificate'; readonly file: string }
  /** A JWT of a platform that the app registration trusts, kept fresh by that platform. */
  | { readonly kind: 'federated'; readonly file: string };
