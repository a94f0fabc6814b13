use nb101_core::*;
use std::time::Instant;
fn main() {
    let mut cells = Vec::new();
    enumerate::CellStream::new(7, 9, 3).fill(&mut cells, usize::MAX, &|| true).unwrap();
    let mut out = vec![[0u8; 16]; cells.len()];
    for &isa in &md5::Isa::available()[1..] {
        md5::Isa::set(Some(isa));
        let peak = md5::kernel_peak(isa);
        println!("{} peak {:.1} M blocks/s", isa.name(), peak / 1e6);
        for th in [1, 2] {
            parallel::set_threads(th);
            let mut best = 9e9f64;
            for _ in 0..5 {
                let t = Instant::now();
                hash::hash_cells(&cells, &mut out, &parallel::Unwatched).unwrap();
                best = best.min(t.elapsed().as_secs_f64());
            }
            println!(" threads {th}: {:.3}s", best);
        }
        let bad = (0..cells.len())
            .step_by(997)
            .filter(|&i| hash::hash_cell_plainly(cells[i]) != out[i])
            .count();
        println!(" bad {bad}");
        let mut shuf = cells.clone();
        let mut x = 1u64;
        for i in (1..shuf.len()).rev() {
            x = x.wrapping_mul(6364136223846793005).wrapping_add(1);
            shuf.swap(i, (x >> 33) as usize % (i + 1));
        }
        let t = Instant::now();
        hash::hash_cells(&shuf, &mut out, &parallel::Unwatched).unwrap();
        println!(" shuffled {:?}", t.elapsed());
        let bad = (0..cells.len())
            .step_by(997)
            .filter(|&i| hash::hash_cell_plainly(shuf[i]) != out[i])
            .count();
        println!(" bad {bad}");
    }
    let mut h = out.clone();
    h.sort();
    h.dedup();
    println!("{}", h.len());
}
