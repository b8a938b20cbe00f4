/** The lines of a trend: across for limits, with their names; upright for onsets of alarms. */
export const INK = "#2b323a";
export const GREY = "#5a636d";
const LABEL_PX = 15;

/** limits: by name, null where there is none. onsets: in seconds. */
export function drawLines(plot, limits, onsets) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.lineWidth = devicePixelRatio;
  drawLimits(plot, Object.entries(limits).filter(([, limit]) => limit !== null));
  ctx.setLineDash([]);
  ctx.strokeStyle = GREY;
  for (const onset of onsets) {
    const x = Math.round(plot.valToPos(onset, "x", true));
    stroke(ctx, x, bbox.top, x, bbox.top + bbox.height);
  }
  ctx.restore();
}

function drawLimits({ ctx, bbox, valToPos }, limits) {
  const scale = devicePixelRatio;
  ctx.strokeStyle = ctx.fillStyle = INK;
  ctx.textAlign = "left";
  ctx.textBaseline = "alphabetic";
  ctx.font = `${11 * scale}px system-ui, sans-serif`;
  const heights = limits.map(([, limit]) => Math.round(valToPos(limit, "y", true)));
  const baselines = labels(heights.map((y) => y / scale), bbox.top / scale);
  limits.forEach(([name, limit], n) => {
    ctx.setLineDash(name.length === 2 ? [8 * scale, 3 * scale] : [3 * scale, 3 * scale]);
    stroke(ctx, bbox.left, heights[n], bbox.left + bbox.width, heights[n]);
    ctx.fillText(`${name} ${limit}`, bbox.left + 6 * scale, baselines[n] * scale);
  });
}

/**
 * Baselines of the labels of lines at these heights: above its line, or below where the line before
 * or its label is too close. All in CSS pixels from the top.
 */
export function labels(heights, top) {
  const found = [];
  let taken = top;
  for (const [y, n] of heights.map((height, n) => [height, n]).sort(([a], [b]) => a - b)) {
    found[n] = y - taken >= LABEL_PX ? y - 4 : Math.max(y, taken) + LABEL_PX - 3;
    taken = Math.max(y, found[n]);
  }
  return found;
}

function stroke(ctx, fromX, fromY, toX, toY) {
  ctx.beginPath();
  ctx.moveTo(fromX, fromY);
  ctx.lineTo(toX, toY);
  ctx.stroke();
}
