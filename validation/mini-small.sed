# mini-small.sed - inputs/mini/mini.cfg in seconds, and with the same tokens on
# every machine: f32 kernels differ in the last bits only, where a draw hardly
# ever depends on them.  Paths are those of a link ./mini.
s#@/#./mini/#g
s/"import"/"import limit=12"/
s/"import files/"import limit=8 files/
s/"generate"/"generate n=2 engine.device=cpu engine.dtype=f32 engine.backend=auto"/
s/"evaluate/"evaluate engine.device=cpu engine.dtype=f32 engine.backend=auto/
s/"sft"/"sft epochs=1 device=cpu backend=auto"/
