/** Wire structures as declarative, range-checked tables. */
export { bytes, u16, u32, u64, u8, type ByteOrder, type Scalar } from './scalars.ts'
export { layout, LayoutError, type Layout, type Row, type ValueOf } from './layout.ts'
export {
  annotate,
  annotateFields,
  printFields,
  type AnnotatedField,
  type AnnotateOptions,
  type Meanings,
} from './annotate.ts'
