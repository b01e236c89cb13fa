/** What a kind of attention is to the network. A new kind is a file with one of these and a row in `table.ts`. */
import type * as tf from "@tensorflow/tfjs-core";
import type { ForwardPass } from "../forwardPass.js";
import type { ParameterEntry } from "../parameterEntries.js";
import type { ModelSpec } from "../spec.js";

/**
 * Blocks of attention. Every block ends with its dropout and the residual; `name` is its state-dict name, such as
 * `encoders.0.heads.1` or `decoders.0.blocks.0`.
 */
export interface AttentionKind {
  /** add the parameters of a block, in the reference's order */
  parameters: {
    /** of field `f`'s encoder */
    encoder(table: ParameterEntry[], spec: ModelSpec, f: number, name: string): void;
    /** of a decoder's block without cross heads, d = width */
    decoderSelf(table: ParameterEntry[], spec: ModelSpec, width: number, name: string): void;
    /** of a decoder's block that looks at the encoder */
    decoderCross(table: ParameterEntry[], spec: ModelSpec, width: number, name: string): void;
  };

  /**
   * Attention of field `f` to itself and to the fields it is coupled to.
   *
   * @param x [B*T, d] the residual stream
   * @param others [B*S, d'] those of the coupled fields
   * @returns [B*T, d]
   */
  encoderBlock(pass: ForwardPass, name: string, f: number, x: tf.Tensor, others: tf.Tensor[]): tf.Tensor;

  /**
   * @param p of the predicted field
   * @param x [B*T, d] the residual stream
   * @param encoded [B*T, d] output of an encoder layer that cross heads look at; undefined: self heads only
   * @returns [B*T, d]
   */
  decoderBlock(pass: ForwardPass, name: string, p: number, x: tf.Tensor, encoded: tf.Tensor | undefined): tf.Tensor;

  /** A decoder's block in two steps, of which the second needs chosen rows only; absent: it needs every row. */
  onRows?: {
    /** what the block needs of every token, [B*T, ...] each */
    project(pass: ForwardPass, name: string, x: tf.Tensor, encoded: tf.Tensor | undefined): tf.Tensor[];
    /**
     * @param x [M, d] chosen rows of the residual stream
     * @param projected what `project` returns, of all samples
     * @param rows int32 [M]
     * @returns [M, d]
     */
    attend(pass: ForwardPass, name: string, x: tf.Tensor, projected: tf.Tensor[], rows: tf.Tensor): tf.Tensor;
  };
}
