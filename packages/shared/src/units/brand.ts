/** Nominal types over primitives: a `RealAddress` cannot be passed where a `ByteLength` is meant. */
declare const brand: unique symbol

/** `Base` that carries the name `Name` for the type checker only; nothing exists at run time. */
export type Tagged<Base, Name extends string> = Base & { readonly [brand]: Name }
