//! What a cell looks like in numbers, for predictors: counts, degrees, channels, cost, and what
//! lies along its paths.
//!
//! All are the same for all forms of a cell, but for those that rest on channels: these are of the
//! form given, as parameters are. [`feature_names`] and [`features`] run through one list, `describe`.

use std::fmt;

use super::cost::{Rule, Skeleton, StructureCost, vertex_channels};
use super::shape::{depth, width};
use crate::cell::{Cell, column};
use crate::error::Result;
use crate::limits::MAX_VERTICES;
use crate::parallel::{self, Monitor};

/// Channels of the cell that channels are measured on: those of the first stack.
const CHANNELS: u64 = 128;
/// Mass of a distribution is given for 0, 1, ... of something along a path.
const MASSES: usize = 4;

/// The ops of a space, by code, with what features need to know of each.
#[derive(Debug, Clone)]
pub struct FeatureOps {
    names: Vec<String>,
    rules: Vec<Rule>,
    /// By name of group: does an op belong to it?
    groups: Vec<(&'static str, Vec<bool>)>,
}

impl FeatureOps {
    /// The ops of these names.
    ///
    /// # Errors
    /// [`Error::NoCost`](crate::Error::NoCost) for names that no rule is known for.
    pub fn new(names: &[String]) -> Result<Self> {
        let rules: Vec<Rule> =
            names.iter().map(|name| Rule::from_name(name)).collect::<Result<_>>()?;
        let all = vec![true; names.len()];
        let weighted = rules.iter().map(|rule| !matches!(rule, Rule::Free)).collect();
        let spatial = names.iter().map(|name| sees_more_than_a_pixel(name)).collect();
        let groups = vec![("op", all), ("weighted", weighted), ("spatial", spatial)];
        Ok(Self { names: names.to_vec(), rules, groups })
    }
}

/// Whether a name has a size such as 3x3 in it.
fn sees_more_than_a_pixel(name: &str) -> bool {
    name.as_bytes().windows(3).any(|part| matches!(part, [b'2'..=b'9', b'x', b'2'..=b'9']))
}

/// Where the features of a cell go.
trait Sheet {
    fn put(&mut self, name: fmt::Arguments<'_>, value: f64);
}

struct Names(Vec<String>);

impl Sheet for Names {
    fn put(&mut self, name: fmt::Arguments<'_>, _: f64) {
        self.0.push(name.to_string());
    }
}

/// Names are not even put together here.
struct Row<'a>(std::slice::IterMut<'a, f32>);

impl Sheet for Row<'_> {
    #[inline(always)]
    fn put(&mut self, _: fmt::Arguments<'_>, value: f64) {
        if let Some(to) = self.0.next() {
            *to = value as f32;
        }
    }
}

/// The name of each feature, in their order.
pub fn feature_names(ops: &FeatureOps) -> Vec<String> {
    let mut sheet = Names(Vec::new());
    let cell = Cell::LEAST;
    describe(&Look::new(cell, ops, 2), (1.0, 1.0), ops, &mut sheet);
    sheet.0
}

/// A row of features for each cell, as long as [`feature_names`]; places that are measured from an
/// end are at most `max_vertices - 1`.
///
/// # Errors
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn features(
    cells: &[Cell],
    ops: &FeatureOps,
    max_vertices: usize,
    rows: &mut [f32],
    monitor: &dyn Monitor,
) -> Result<()> {
    let width = feature_names(ops).len();
    let skeleton = Skeleton::default();
    let work = |&cell: &Cell, row: &mut [f32]| {
        let cost = StructureCost::new(cell, &ops.rules, &skeleton).of(cell);
        let costs = (cost.parameters as f64, cost.flops as f64);
        describe(&Look::new(cell, ops, max_vertices), costs, ops, &mut Row(row.iter_mut()));
    };
    parallel::map_rows(cells, rows, width, work, monitor)
}

/// A path from input to output.
struct Path {
    /// Ops along it: the sequence as a number, and how many there are of each.
    sequence: u64,
    counts: [u8; 16],
    length: usize,
    /// Its share of what arrives at output, if each vertex takes equally from those that feed it.
    flow: f64,
}

/// A cell taken apart.
struct Look {
    vertices: usize,
    /// `edge[x][y]`.
    edge: [[bool; MAX_VERTICES]; MAX_VERTICES],
    /// By vertex: op, unused for input and output.
    op: [usize; MAX_VERTICES],
    /// Share of the cell's channels.
    channels: [f64; MAX_VERTICES],
    indegree: [f64; MAX_VERTICES],
    outdegree: [f64; MAX_VERTICES],
    paths: Vec<Path>,
    /// Share of what arrives at output that comes through each vertex.
    flow: [f64; MAX_VERTICES],
    depth: usize,
    width: usize,
    far: f64,
}

impl Look {
    fn new(cell: Cell, ops: &FeatureOps, max_vertices: usize) -> Self {
        let v = cell.vertices();
        let mut edge = [[false; MAX_VERTICES]; MAX_VERTICES];
        let (mut indegree, mut outdegree) = ([0.0; MAX_VERTICES], [0.0; MAX_VERTICES]);
        for y in 1..v {
            for x in 0..y {
                if column(cell.edges, y) >> x & 1 == 1 {
                    edge[x][y] = true;
                    indegree[y] += 1.0;
                    outdegree[x] += 1.0;
                }
            }
        }
        let mut op = [0; MAX_VERTICES];
        (1..v - 1).for_each(|x| op[x] = usize::from(cell.op(x)));
        let channels = vertex_channels(cell, CHANNELS, CHANNELS);
        let channels = channels.map(|width| width as f64 / CHANNELS as f64);
        let mut look = Self {
            vertices: v,
            edge,
            op,
            channels,
            indegree,
            outdegree,
            paths: Vec::new(),
            flow: [0.0; MAX_VERTICES],
            depth: usize::from(depth(cell)),
            width: usize::from(width(cell)),
            far: (max_vertices - 1) as f64,
        };
        let start = Path { sequence: 0, counts: [0; 16], length: 0, flow: 1.0 };
        look.follow(0, &start, ops.names.len() as u64 + 1);
        look.flow[v - 1] = 1.0;
        for x in (0..v - 1).rev() {
            let through = |y: usize| look.weight(x, y) * look.flow[y];
            look.flow[x] = (x + 1..v).filter(|&y| edge[x][y]).map(through).sum();
        }
        look
    }

    fn interior(&self) -> std::ops::Range<usize> {
        1..self.vertices - 1
    }

    fn of_op(&self, op: usize) -> impl Iterator<Item = usize> {
        self.interior().filter(move |&v| self.op[v] == op)
    }

    fn output(&self) -> usize {
        self.vertices - 1
    }

    /// What part of vertex y comes by its edge from x: an equal part of a sum; of output, which
    /// concatenates, as many channels as there are, and half of all by the projection of input.
    fn weight(&self, x: usize, y: usize) -> f64 {
        if y != self.output() {
            return 1.0 / self.indegree[y];
        }
        let projected = self.edge[0][y];
        let alone = self.indegree[y] == f64::from(u8::from(projected));
        match (x, projected) {
            (0, _) => {
                if alone {
                    1.0
                } else {
                    0.5
                }
            }
            (_, true) => 0.5 * self.channels[x],
            (_, false) => self.channels[x],
        }
    }

    fn follow(&mut self, x: usize, before: &Path, base: u64) {
        for y in x + 1..self.vertices {
            if !self.edge[x][y] {
                continue;
            }
            let mut path = Path { flow: before.flow * self.weight(x, y), ..*before };
            if y == self.output() {
                self.paths.push(path);
            } else {
                path.sequence = path.sequence * base + self.op[y] as u64 + 1;
                path.counts[self.op[y]] += 1;
                path.length += 1;
                self.follow(y, &path, base);
            }
        }
    }

    /// Most or fewest ops on a way to each interior vertex, itself included; from input, or from
    /// output.
    fn places(&self, from_output: bool, longest: bool) -> [f64; MAX_VERTICES] {
        let mut place = [0.0; MAX_VERTICES];
        let best = |known: &mut dyn Iterator<Item = f64>| {
            if longest {
                known.fold(f64::NEG_INFINITY, f64::max)
            } else {
                known.fold(f64::INFINITY, f64::min)
            }
        };
        if from_output {
            for x in self.interior().rev() {
                let fed = (x + 1..self.vertices).filter(|&y| self.edge[x][y]);
                place[x] = 1.0 + best(&mut fed.map(|y| place[y]));
            }
        } else {
            for y in self.interior() {
                let feeding = (0..y).filter(|&x| self.edge[x][y]);
                place[y] = 1.0 + best(&mut feeding.map(|x| place[x]));
            }
        }
        place
    }
}

fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, f64::max)
}

fn smallest(values: impl Iterator<Item = f64>, none: f64) -> f64 {
    let least = values.fold(f64::INFINITY, f64::min);
    if least.is_finite() { least } else { none }
}

/// The list of features.
fn describe(
    look: &Look,
    (parameters, flops): (f64, f64),
    ops: &FeatureOps,
    sheet: &mut impl Sheet,
) {
    let out = look.output();
    sheet.put(format_args!("vertices"), look.vertices as f64);
    sheet.put(format_args!("edges"), look.outdegree.iter().sum());
    sheet.put(format_args!("depth"), look.depth as f64);
    sheet.put(format_args!("width"), look.width as f64);
    sheet.put(format_args!("log_parameters"), parameters.ln());
    sheet.put(format_args!("log_flops"), flops.ln());
    sheet.put(format_args!("log_flops_per_parameter"), (flops / parameters).ln());
    sheet.put(format_args!("skip"), f64::from(u8::from(look.edge[0][out])));
    sheet.put(format_args!("input_outdegree"), look.outdegree[0]);
    sheet.put(format_args!("output_indegree"), look.indegree[out]);
    degrees(look, ops, sheet);
    neighbourhoods(look, ops, sheet);
    channels(look, ops, sheet);
    positions(look, ops, sheet);
    along_paths(look, ops, sheet);
}

fn degrees(look: &Look, ops: &FeatureOps, sheet: &mut impl Sheet) {
    for (op, name) in ops.names.iter().enumerate() {
        sheet.put(format_args!("count({name})"), look.of_op(op).count() as f64);
        for (what, degree) in [("indegree", &look.indegree), ("outdegree", &look.outdegree)] {
            let degrees = || look.of_op(op).map(|v| degree[v]);
            sheet.put(format_args!("sum_{what}({name})"), degrees().sum());
            sheet.put(format_args!("max_{what}({name})"), largest(degrees()));
        }
    }
    let several = |degree: &[f64]| look.interior().filter(|&v| degree[v] > 1.0).count() as f64;
    sheet.put(format_args!("max_indegree"), largest(look.interior().map(|v| look.indegree[v])));
    sheet.put(format_args!("max_outdegree"), largest(look.interior().map(|v| look.outdegree[v])));
    sheet.put(format_args!("sums"), several(&look.indegree));
    sheet.put(format_args!("forks"), several(&look.outdegree));
}

/// Edges, walks of two edges, and pairs that are summed or concatenated, by labels.
fn neighbourhoods(look: &Look, ops: &FeatureOps, sheet: &mut impl Sheet) {
    let k = ops.names.len();
    // Labels are ops, and k for input or output, whichever an end of an edge can be.
    let name = |label: usize, end: &'static str| ops.names.get(label).map_or(end, |name| name);
    let mut before = [[0.0; 16]; MAX_VERTICES];
    let mut behind = [[0.0; 16]; MAX_VERTICES];
    for x in 0..look.vertices - 1 {
        for y in (x + 1..look.vertices).filter(|&y| look.edge[x][y]) {
            before[y][if x == 0 { k } else { look.op[x] }] += 1.0;
            behind[x][if y == look.output() { k } else { look.op[y] }] += 1.0;
        }
    }
    for a in 0..=k {
        let a_name = name(a, "input");
        for b in 0..k {
            let count = look.of_op(b).map(|v| before[v][a]).sum();
            sheet.put(format_args!("edges({a_name},{})", ops.names[b]), count);
            for c in 0..=k {
                let walks = look.of_op(b).map(|v| before[v][a] * behind[v][c]).sum();
                let c_name = name(c, "output");
                sheet.put(format_args!("edges({a_name},{},{c_name})", ops.names[b]), walks);
            }
        }
        if a < k {
            sheet.put(format_args!("edges({a_name},output)"), before[look.output()][a]);
        }
        for b in a..=k {
            let pairs = |v: usize| {
                let (first, second) = (before[v][a], before[v][b]);
                if a == b { first * (first - 1.0) / 2.0 } else { first * second }
            };
            let b_name = name(b, "input");
            let summed = look.interior().map(pairs).sum();
            sheet.put(format_args!("summed({a_name},{b_name})"), summed);
            sheet.put(format_args!("concatenated({a_name},{b_name})"), pairs(look.output()));
        }
    }
}

/// How wide vertices are, as a share of the cell's channels, and what that costs.
fn channels(look: &Look, ops: &FeatureOps, sheet: &mut impl Sheet) {
    let out = look.output();
    let width = |v: usize| look.channels[v];
    let feeding = look.interior().filter(|&v| look.edge[v][out]).count().max(1);
    sheet.put(format_args!("log_concatenated"), (feeding as f64).ln());
    let total: f64 = look.interior().map(width).sum();
    let count = look.interior().len().max(1) as f64;
    sheet.put(format_args!("channels"), total);
    sheet.put(format_args!("mean_channels"), total / count);
    sheet.put(format_args!("max_channels"), largest(look.interior().map(width)));
    sheet.put(format_args!("min_channels"), smallest(look.interior().map(width), 1.0));
    let arriving = look.interior().map(|v| width(v) * look.indegree[v]).sum();
    sheet.put(format_args!("channels_arriving"), arriving);
    let added = look.interior().map(|v| width(v) * (look.indegree[v] - 1.0)).sum();
    sheet.put(format_args!("channels_summed"), added);
    let from_input = (1..look.vertices).filter(|&v| look.edge[0][v]).map(width);
    let projected: f64 = from_input.sum();
    sheet.put(format_args!("channels_projected"), projected);
    let weights = projected * (CHANNELS * CHANNELS) as f64;
    sheet.put(format_args!("log_weights(projections)"), (weights / 1000.0).ln_1p());
    for (op, name) in ops.names.iter().enumerate() {
        let widths = || look.of_op(op).map(width);
        sheet.put(format_args!("channels({name})"), widths().sum());
        sheet.put(format_args!("squared_channels({name})"), widths().map(|c| c * c).sum());
        sheet.put(format_args!("max_channels({name})"), largest(widths()));
        let to_output = look.of_op(op).filter(|&v| look.edge[v][out]).map(width).sum();
        sheet.put(format_args!("channels_to_output({name})"), to_output);
        let from_input = look.of_op(op).filter(|&v| look.edge[0][v]).map(width).sum();
        sheet.put(format_args!("channels_from_input({name})"), from_input);
        let weights: f64 = look
            .of_op(op)
            .map(|v| ops.rules[op].parameters((width(v) * CHANNELS as f64) as u64) as f64)
            .sum();
        sheet.put(format_args!("log_weights({name})"), (weights / 1000.0).ln_1p());
        let flows = || look.of_op(op).map(|v| look.flow[v]);
        sheet.put(format_args!("max_flow({name})"), largest(flows()));
        sheet.put(format_args!("squared_flow({name})"), flows().map(|x| x * x).sum());
    }
}

/// How far from input and from output the vertices of each op are, in ops.
fn positions(look: &Look, ops: &FeatureOps, sheet: &mut impl Sheet) {
    for (end, from_output) in [("input", false), ("output", true)] {
        let longest = look.places(from_output, true);
        let shortest = look.places(from_output, false);
        for (op, name) in ops.names.iter().enumerate() {
            let far = || look.of_op(op).map(|v| longest[v]);
            let mean = far().sum::<f64>() / far().count().max(1) as f64;
            let near = smallest(look.of_op(op).map(|v| shortest[v]), look.far);
            sheet.put(format_args!("mean_place_from_{end}({name})"), mean);
            sheet.put(format_args!("max_place_from_{end}({name})"), largest(far()));
            sheet.put(format_args!("min_place_from_{end}({name})"), near);
        }
    }
}

/// Distributions over paths: of how many there are of each op, and of groups of ops, along a path.
fn along_paths(look: &Look, ops: &FeatureOps, sheet: &mut impl Sheet) {
    let paths = &look.paths;
    sheet.put(format_args!("paths"), paths.len() as f64);
    sheet.put(format_args!("log_paths"), (paths.len() as f64).ln());
    let k = ops.names.len();
    let counted = |path: &Path, what: usize| -> usize {
        if what < k {
            return usize::from(path.counts[what]);
        }
        let members = ops.groups[what - k].1.iter().zip(path.counts);
        members.map(|(&inside, count)| if inside { usize::from(count) } else { 0 }).sum()
    };
    for what in 0..k + ops.groups.len() {
        let name = if what < k { &*ops.names[what] } else { ops.groups[what - k].0 };
        let counts = || paths.iter().map(|path| counted(path, what) as f64);
        sheet.put(format_args!("max_on_path({name})"), largest(counts()));
        sheet.put(format_args!("min_on_path({name})"), smallest(counts(), 0.0));
        let others = paths.iter().filter(|path| path.length > 0);
        let least = smallest(others.map(|path| counted(path, what) as f64), 0.0);
        sheet.put(format_args!("min_on_path_but_skip({name})"), least);
        let mut flow = Distribution::default();
        let mut equal = Distribution::default();
        for path in paths {
            flow.add(counted(path, what), path.flow);
            equal.add(counted(path, what), 1.0);
        }
        flow.put("flow", name, sheet);
        equal.put("paths", name, sheet);
    }
    let mut sequences: Vec<(u64, f64)> = paths.iter().map(|p| (p.sequence, p.flow)).collect();
    sequences.sort_unstable_by_key(|&(sequence, _)| sequence);
    let shares: Vec<f64> = sequences
        .chunk_by(|a, b| a.0 == b.0)
        .map(|same| same.iter().map(|(_, flow)| flow).sum())
        .collect();
    let squares: f64 = shares.iter().map(|share| share * share).sum();
    sheet.put(format_args!("effective_paths"), 1.0 / squares);
    let surprise = |share: &f64| if *share > 0.0 { -share * share.ln() } else { 0.0 };
    sheet.put(format_args!("path_entropy"), shares.iter().map(surprise).sum());
}

#[derive(Default)]
struct Distribution {
    total: f64,
    first: f64,
    second: f64,
    mass: [f64; MASSES],
}

impl Distribution {
    fn add(&mut self, count: usize, weight: f64) {
        let value = count as f64;
        self.total += weight;
        self.first += weight * value;
        self.second += weight * value * value;
        if let Some(mass) = self.mass.get_mut(count) {
            *mass += weight;
        }
    }

    fn put(&self, weighting: &str, name: &str, sheet: &mut impl Sheet) {
        let mean = self.first / self.total;
        let variance = (self.second / self.total - mean * mean).max(0.0);
        sheet.put(format_args!("mean_by_{weighting}({name})"), mean);
        sheet.put(format_args!("sd_by_{weighting}({name})"), variance.sqrt());
        for (count, mass) in self.mass.iter().enumerate() {
            sheet.put(format_args!("{weighting}_with_{count}({name})"), *mass);
        }
    }
}
