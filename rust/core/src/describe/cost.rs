//! Widths, parameters and work of the network that a cell makes (arXiv 1902.09635, section 2): a 3x3
//! stem, then stacks of cells, each stack after the first behind a 2x2 pool and twice as wide, then
//! global pooling and a dense layer.
//!
//! Counts depend on the order of vertices, since the odd channel goes to the first: they are those
//! of the matrix given, which for the released data is the reference representative.

use crate::cell::{Cell, check_all_ops, column};
use crate::error::{Error, Result};
use crate::limits::{MAX_OPS, MAX_VERTICES};
use crate::memory;
use crate::parallel::{self, Monitor};

/// By what rule an op costs what it does at a width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// `convKxK-bn-relu`: a K x K convolution and batch norm.
    Conv(u64),
    /// Pooling or identity: nothing.
    Free,
    /// `bottleneckKxK`: 1x1 to a quarter, K x K, 1x1 back, each with batch norm.
    Bottleneck(u64),
}

impl Rule {
    /// The rule of an op by its name.
    ///
    /// # Errors
    /// [`Error::NoCost`] for names that no rule is known for.
    pub fn from_name(name: &str) -> Result<Self> {
        let kernel = |text: &str| -> Option<u64> {
            let (a, b) = text.split_once('x')?;
            let side = a.parse().ok().filter(|&side| side > 0 && side < 100)?;
            (a == b).then_some(side)
        };
        let known = match name {
            "identity" => Some(Self::Free),
            "maxpool3x3-conv1x1" => Some(Self::Conv(1)),
            _ => None,
        };
        let conv = || kernel(name.strip_prefix("conv")?.strip_suffix("-bn-relu")?).map(Self::Conv);
        let pool = || {
            let size = name.strip_prefix("maxpool").or_else(|| name.strip_prefix("avgpool"))?;
            kernel(size).map(|_| Self::Free)
        };
        let bottleneck = || kernel(name.strip_prefix("bottleneck")?).map(Self::Bottleneck);
        (known.or_else(conv).or_else(pool).or_else(bottleneck))
            .ok_or_else(|| Error::NoCost { name: name.to_owned() })
    }

    /// Trainable parameters at `width` channels.
    pub fn parameters(self, width: u64) -> u64 {
        self.cost(width).parameters
    }

    /// Trainable parameters at `width` channels, and multiply-accumulates a pixel.
    fn cost(self, width: u64) -> Cost {
        match self {
            Self::Free => Cost::default(),
            Self::Conv(k) => conv_bn(k, width, width),
            Self::Bottleneck(k) => {
                let inner = width / 4;
                conv_bn(1, width, inner) + conv_bn(k, inner, inner) + conv_bn(1, inner, width)
            }
        }
    }
}

/// Parameters and multiply-accumulates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Trainable parameters.
    pub parameters: u64,
    /// Multiply-accumulates: of convolutions and the dense layer, and nothing else.
    pub flops: u64,
}

impl std::ops::Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            parameters: self.parameters.saturating_add(other.parameters),
            flops: self.flops.saturating_add(other.flops),
        }
    }
}

impl Cost {
    /// That of `cells` equal cells, each on `pixels` pixels.
    fn times(self, cells: u64, pixels: u64) -> Self {
        Self {
            parameters: self.parameters.saturating_mul(cells),
            flops: self.flops.saturating_mul(cells).saturating_mul(pixels),
        }
    }
}

/// A K x K convolution without bias, and batch norm with scale and shift, for one pixel.
fn conv_bn(k: u64, from: u64, to: u64) -> Cost {
    let weights = (k * k).saturating_mul(from).saturating_mul(to);
    Cost { parameters: weights.saturating_add(to.saturating_mul(2)), flops: weights }
}

/// The network around the cells. Counts that are too large for their type are its largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skeleton {
    /// Channels after the stem, and width of the first stack.
    pub stem_channels: u64,
    /// Number of stacks.
    pub stacks: u32,
    /// Cells in each.
    pub cells_per_stack: u32,
    /// Outputs of the dense layer.
    pub num_classes: u64,
    /// Channels of the input image.
    pub image_channels: u64,
    /// Side of the square input image.
    pub image_size: u64,
}

impl Default for Skeleton {
    /// That of NAS-Bench-101 on CIFAR-10.
    fn default() -> Self {
        Self {
            stem_channels: 128,
            stacks: 3,
            cells_per_stack: 3,
            num_classes: 10,
            image_channels: 3,
            image_size: 32,
        }
    }
}

/// The channels of each vertex of a cell with `input` channels in and `output` out.
///
/// Vertices that feed `output` share its width, the first ones one wider where it does not divide;
/// going back, every other vertex is as wide as the widest that it feeds.
pub fn vertex_channels(cell: Cell, input: u64, output: u64) -> [u64; MAX_VERTICES] {
    let v = cell.vertices();
    let mut channels = [0; MAX_VERTICES];
    (channels[0], channels[v - 1]) = (input, output);
    let feeding = column(cell.edges, v - 1) & !1;
    let count = u64::from(feeding.count_ones());
    let feeders = (1..v - 1).filter(|x| feeding >> x & 1 == 1);
    for (i, x) in feeders.enumerate() {
        channels[x] = output / count + u64::from((i as u64) < output % count);
    }
    for x in (1..v - 1).rev().filter(|x| feeding >> x & 1 == 0) {
        let fed = (x + 1..v - 1).filter(|&y| column(cell.edges, y) >> x & 1 == 1);
        channels[x] = fed.map(|y| channels[y]).max().unwrap_or(0);
    }
    channels
}

/// What the cells of one structure cost: a part that all share, and one for each vertex and op.
#[derive(Debug)]
pub struct StructureCost {
    fixed: Cost,
    by_op: Vec<[Cost; MAX_VERTICES]>,
}

impl StructureCost {
    /// The costs of cells with the graph of `cell` and ops of these rules.
    pub fn new(cell: Cell, rules: &[Rule], skeleton: &Skeleton) -> Self {
        let v = cell.vertices();
        let mut side = skeleton.image_size;
        let mut width = skeleton.stem_channels;
        let mut input = width;
        let mut fixed = conv_bn(3, skeleton.image_channels, width).times(1, side * side);
        let mut by_op = vec![[Cost::default(); MAX_VERTICES]; rules.len()];
        for stack in 0..skeleton.stacks {
            if stack > 0 {
                // An odd last row or column is a window of its own.
                (side, width) = (side.div_ceil(2), width.saturating_mul(2));
            }
            // The first cell widens what comes in, and all others of the stack are alike.
            let cells = u64::from(skeleton.cells_per_stack);
            for (input, count) in [(input, 1.min(cells)), (width, cells.saturating_sub(1))] {
                let channels = vertex_channels(cell, input, width);
                for y in (1..v).filter(|&y| column(cell.edges, y) & 1 == 1) {
                    fixed = fixed + conv_bn(1, input, channels[y]).times(count, side * side);
                }
                for (rule, costs) in rules.iter().zip(&mut by_op) {
                    for x in 1..v - 1 {
                        costs[x] = costs[x] + rule.cost(channels[x]).times(count, side * side);
                    }
                }
            }
            input = width;
        }
        let dense = width.saturating_mul(skeleton.num_classes);
        let biases = skeleton.num_classes;
        fixed = fixed + Cost { parameters: dense.saturating_add(biases), flops: dense };
        Self { fixed, by_op }
    }

    /// The cost of one cell of the structure. Its ops must be among those given.
    #[inline]
    pub fn of(&self, cell: Cell) -> Cost {
        (1..cell.vertices() - 1)
            .fold(self.fixed, |sum, x| sum + self.by_op[usize::from(cell.op(x))][x])
    }
}

/// Cells of one parallel task.
const TASK: usize = 1 << 12;

/// Trainable parameters and multiply-accumulates of each cell, whose ops have these names. A rule is
/// needed only for ops that occur.
///
/// # Errors
/// [`Error::InModule`] with the first cell that has another op; [`Error::NoCost`];
/// [`Error::Interrupted`].
pub fn costs(
    cells: &[Cell],
    ops: &[String],
    skeleton: &Skeleton,
    monitor: &dyn Monitor,
) -> Result<(Vec<i64>, Vec<i64>)> {
    check_all_ops(cells, ops.len())?;
    let mut used = [false; MAX_OPS + 1];
    cells.iter().for_each(|cell| {
        (1..cell.vertices() - 1).for_each(|x| used[usize::from(cell.op(x))] = true);
    });
    let rule =
        |(name, used): (&String, bool)| if used { Rule::from_name(name) } else { Ok(Rule::Free) };
    let rules: Vec<Rule> = ops.iter().zip(used).map(rule).collect::<Result<_>>()?;
    let mut costs = memory::filled((0, 0), cells.len())?;
    let work = |_: usize, cells: &[Cell], costs: &mut [(i64, i64)]| {
        let mut known = (cells[0], StructureCost::new(cells[0], &rules, skeleton));
        for (&cell, to) in cells.iter().zip(costs) {
            if cell.structure() != known.0.structure() {
                known = (cell, StructureCost::new(cell, &rules, skeleton));
            }
            let cost = known.1.of(cell);
            let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
            *to = (whole(cost.parameters), whole(cost.flops));
        }
    };
    parallel::map_chunks(cells, &mut costs, TASK, work, monitor)?;
    let parameters = memory::collect(costs.iter().map(|cost| cost.0))?;
    Ok((parameters, memory::collect(costs.iter().map(|cost| cost.1))?))
}

/// [`vertex_channels`] of each cell: rows of `size`, at least as many as the vertices of any cell,
/// with zeros after its last.
///
/// # Errors
/// [`Error::Memory`].
pub fn channels(cells: &[Cell], input: u64, output: u64, size: usize) -> Result<Vec<i64>> {
    let mut rows = memory::filled(0, cells.len().saturating_mul(size))?;
    for (&cell, row) in cells.iter().zip(rows.chunks_exact_mut(size.max(1))) {
        let channels = vertex_channels(cell, input, output);
        let channels = channels[..cell.vertices()].iter();
        row.iter_mut().zip(channels).for_each(|(to, &from)| *to = from as i64);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{edge_bit, label_shift};
    use crate::space::CellStream;

    const RULES: [Rule; 3] = [Rule::Conv(3), Rule::Conv(1), Rule::Free];

    fn cell(v: usize, edges: &[(usize, usize)], ops: &[u64]) -> Cell {
        let mask = edges.iter().fold(0, |mask, &(x, y)| mask | edge_bit(x, y));
        let labels =
            ops.iter().enumerate().fold(0, |word, (i, op)| word | op << label_shift(i + 1));
        Cell::new(v, mask, labels)
    }

    fn parameters(cell: Cell) -> u64 {
        StructureCost::new(cell, &RULES, &Skeleton::default()).of(cell).parameters
    }

    #[test]
    fn published_parameters() {
        let inception = [(0, 1), (0, 2), (0, 3), (0, 5), (1, 6), (2, 6), (3, 4), (4, 6), (5, 6)];
        assert_eq!(parameters(cell(7, &inception, &[1, 0, 0, 0, 2])), 2_694_282);
        let resnet = [(0, 1), (1, 2), (2, 3), (0, 3)];
        assert_eq!(parameters(cell(4, &resnet, &[0, 0])), 20_346_506);
        let best = [(0, 1), (0, 2), (0, 5), (0, 6), (1, 5), (2, 3), (3, 4), (4, 5), (5, 6)];
        assert_eq!(parameters(cell(7, &best, &[1, 0, 2, 0, 0])), 32_426_634);
        assert_eq!(parameters(cell(2, &[(0, 1)], &[])), 882_570);
        let chain: Vec<_> = (0..6).map(|x| (x, x + 1)).collect();
        assert_eq!(parameters(cell(7, &chain, &[0; 5])), 47_358_090);
    }

    #[test]
    fn other_skeletons() {
        let resnet = cell(4, &[(0, 1), (1, 2), (2, 3), (0, 3)], &[0, 0]);
        let small = Skeleton { stem_channels: 16, cells_per_stack: 1, ..Skeleton::default() };
        let count = |skeleton: &Skeleton| StructureCost::new(resnet, &RULES, skeleton).of(resnet);
        // As a network of PyTorch has them.
        assert_eq!(count(&small).parameters, 104_410);
        // A colour less is 9 weights less for each channel of the stem, of each pixel.
        let grey = count(&Skeleton { image_channels: 1, ..small });
        assert_eq!(grey.parameters, 104_410 - 2 * 9 * 16);
        assert_eq!(grey.flops, count(&small).flops - 2 * 9 * 16 * 32 * 32);
        // What no number holds is the largest, and takes no longer than the small ones.
        let huge = Skeleton { cells_per_stack: u32::MAX, stem_channels: 1 << 24, ..small };
        assert_eq!(count(&Skeleton { stacks: 16, ..huge }).flops, u64::MAX);
    }

    #[test]
    fn extremes_and_mean_over_the_space() {
        let mut cells = Vec::new();
        CellStream::new(7, 9, 3).fill(&mut cells, usize::MAX, &|| true).unwrap();
        let all: Vec<u64> = cells.iter().map(|&cell| parameters(cell)).collect();
        assert_eq!((all.iter().min(), all.iter().max()), (Some(&227_274), Some(&49_979_274)));
        let mean = all.iter().sum::<u64>() as f64 / all.len() as f64;
        assert!((mean - 8_459_761.89).abs() < 0.005, "{mean}");
    }

    #[test]
    fn flops_of_the_smallest_cell_by_hand() {
        let direct = cell(2, &[(0, 1)], &[]);
        let stem = 27 * 128 * 1024;
        let projections = 1024 * 3 * 128 * 128
            + 256 * (128 * 256 + 2 * 256 * 256)
            + 64 * (256 * 512 + 2 * 512 * 512);
        let cost = StructureCost::new(direct, &RULES, &Skeleton::default()).of(direct);
        assert_eq!(cost.flops, stem + projections + 5120);
    }

    #[test]
    fn names() {
        assert_eq!(Rule::from_name("conv3x3-bn-relu"), Ok(Rule::Conv(3)));
        assert_eq!(Rule::from_name("maxpool3x3"), Ok(Rule::Free));
        assert_eq!(Rule::from_name("bottleneck5x5"), Ok(Rule::Bottleneck(5)));
        for name in ["", "conv", "conv3x5-bn-relu", "convx-bn-relu", "conv0x0-bn-relu", "tanh"] {
            assert!(Rule::from_name(name).is_err(), "{name}");
        }
    }
}
