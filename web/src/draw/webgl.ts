/**
 * Points by a graphics card, through twgl.
 *
 * Positions, colours and sizes are uploaded when they change, a byte a point when a filter moves.
 * regl-scatterplot was tried: its filters take lists of rows, 300 ms for as many, and regl makes
 * code at run time, which the page's own rules forbid. deck.gl draws each point as two triangles.
 */
import * as twgl from 'twgl.js';
import { color } from 'd3-color';
import type { Look, Scene, Surface, View } from './surface';

const VERTEX = `#version 300 es
in float u;
in float v;
in float grade;
in float size;
in float shows;
uniform sampler2D palette;
uniform vec4 faint;
uniform vec4 view;
uniform float diameter;
uniform float opacity;
uniform float pass;
out vec4 ink;
out float reach;
void main() {
  // Twice through the points: what is left out first, so that it covers nothing.
  bool drawn = shows > 0.5 ? pass > 0.5 : pass < 0.5;
  gl_Position = drawn ? vec4(u * view.x + view.y, v * view.z + view.w, 0.0, 1.0) : vec4(9.0);
  gl_PointSize = diameter * (1.0 + size * 4.0);
  // The discs of the raster: from three pixels on they lack their corners.
  reach = gl_PointSize > 2.5 ? 0.5 - 0.1 / gl_PointSize : 1.0;
  vec4 bright = texture(palette, vec2((grade * 255.0 + 0.5) / 256.0, 0.5));
  ink = pass > 0.5 ? vec4(bright.rgb, opacity) : vec4(faint.rgb, 0.25);
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
in vec4 ink;
in float reach;
out vec4 colour;
void main() {
  if (length(gl_PointCoord - 0.5) > reach) discard;
  colour = ink;
}`;

/** Whether WebGL is there and not done in software, where the canvas is faster. */
export function hasGraphicsCard(): boolean {
  const context = document.createElement('canvas').getContext('webgl2');
  if (context === null) return false;
  const info = context.getExtension('WEBGL_debug_renderer_info');
  const name: unknown = info && context.getParameter(info.UNMASKED_RENDERER_WEBGL);
  context.getExtension('WEBGL_lose_context')?.loseContext();
  return !/swiftshader|llvmpipe|software|basic render/i.test(String(name));
}

/** Null where there is no WebGL. */
export function openWebGL(canvas: HTMLCanvasElement): Surface | null {
  const context = canvas.getContext('webgl2', {
    antialias: false,
    alpha: false,
    // The picture is read when it is exported.
    preserveDrawingBuffer: true,
  });
  return context && new Cards(context);
}

class Cards implements Surface {
  readonly kind = 'webgl';
  private readonly program: twgl.ProgramInfo;
  private buffers: twgl.BufferInfo | null = null;
  private drawn: Scene | null = null;
  private palette: { of: readonly string[]; texture: WebGLTexture } | null = null;
  private ratio = 1;

  constructor(private readonly gl: WebGL2RenderingContext) {
    this.program = twgl.createProgramInfo(gl, [VERTEX, FRAGMENT]);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
  }

  resize(width: number, height: number, ratio: number): void {
    const { canvas } = this.gl;
    this.ratio = ratio;
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== wide) canvas.width = wide;
    if (canvas.height !== high) canvas.height = high;
  }

  draw(scene: Scene, view: View, look: Look): void {
    const { gl } = this;
    this.upload(scene);
    gl.viewport(0, 0, gl.canvas.width, gl.canvas.height);
    gl.clearColor(...unit(look.background));
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.useProgram(this.program.program);
    twgl.setBuffersAndAttributes(gl, this.program, this.buffers!);
    const [wide, high] = [view.x1 - view.x0, view.y1 - view.y0];
    for (const pass of [0, 1]) {
      twgl.setUniforms(this.program, {
        palette: this.colours(look.palette),
        faint: unit(look.faint),
        view: [2 / wide, -1 - (2 * view.x0) / wide, 2 / high, -1 - (2 * view.y0) / high],
        diameter: look.diameter * this.ratio,
        opacity: look.opacity,
        pass,
      });
      twgl.drawBufferInfo(gl, this.buffers!, gl.POINTS, scene.order.length);
    }
  }

  destroy(): void {
    this.gl.getExtension('WEBGL_lose_context')?.loseContext();
  }

  private upload(scene: Scene): void {
    const { gl, drawn } = this;
    const shows = new Uint8Array(scene.order.length);
    const { fails, selected } = scene;
    for (let at = 0; at < shows.length; at++) {
      const row = scene.order[at];
      shows[at] = fails[row] === 0 && (selected === null || selected[row] !== 0) ? 1 : 0;
    }
    if (this.buffers === null || drawn === null || drawn.u !== scene.u || drawn.v !== scene.v) {
      for (const { buffer } of Object.values(this.buffers?.attribs ?? {})) gl.deleteBuffer(buffer);
      this.buffers = twgl.createBufferInfoFromArrays(gl, {
        u: { numComponents: 1, data: scene.u },
        v: { numComponents: 1, data: scene.v },
        grade: { numComponents: 1, data: scene.colour, normalize: true },
        size: {
          numComponents: 1,
          data: scene.size ?? new Uint8Array(scene.u.length),
          normalize: true,
        },
        shows: { numComponents: 1, data: shows, normalize: false },
      });
    } else {
      const put = (name: string, data: Uint8Array) =>
        twgl.setAttribInfoBufferFromArray(gl, this.buffers!.attribs![name], data);
      put('shows', shows);
      if (drawn.colour !== scene.colour) put('grade', scene.colour);
      if (drawn.size !== scene.size) put('size', scene.size ?? new Uint8Array(scene.u.length));
    }
    this.drawn = scene;
  }

  private colours(palette: readonly string[]): WebGLTexture {
    if (this.palette?.of !== palette) {
      const { gl } = this;
      if (this.palette !== null) gl.deleteTexture(this.palette.texture);
      const src = new Uint8Array(palette.flatMap((css) => unit(css).map((part) => part * 255)));
      const texture = twgl.createTexture(gl, {
        src,
        width: 256,
        height: 1,
        min: gl.NEAREST,
        mag: gl.NEAREST,
        wrap: gl.CLAMP_TO_EDGE,
      });
      this.palette = { of: palette, texture };
    }
    return this.palette.texture;
  }
}

function unit(css: string): [number, number, number, number] {
  const rgb = color(css)?.rgb();
  return rgb === undefined ? [0, 0, 0, 1] : [rgb.r / 255, rgb.g / 255, rgb.b / 255, 1];
}
