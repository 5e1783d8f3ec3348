# loops.awk - what the loops of a kernel that use tensor cores are made of, from
# the output of nvdisasm -c.
#
# A line for each loop: its nesting, the instructions between its ends that are
# in no loop inside it, and how many of them are of which kind.  What an inner
# loop counts is done as often as that turns: the sources tell.
BEGIN {
    kinds = split("HMMA LDSM LDS STS LDGSTS LDG MUFU SHFL BAR", kind, " ")
}
function flush(    i, j, k, n, head, tail, best, depth, count, of) {
    n = 0
    for (i = 1; i <= branches; i++) {
        if (!(target[i] in label) || label[target[i]] > from[i])
            continue
        for (j = 1; j <= n && head[j] != label[target[i]]; j++)
            ;
        if (j > n) {
            head[++n] = label[target[i]]
            tail[n] = 0
        }
        if (from[i] > tail[j])
            tail[j] = from[i]
    }
    for (i = 1; i <= size; i++) { # to the innermost loop around it
        best = 0
        for (j = 1; j <= n; j++)
            if (i >= head[j] && i <= tail[j] &&
                (!best || tail[j] - head[j] < tail[best] - head[best]))
                best = j
        count[best]++
        of[best, op[i]]++
        for (j = 1; j <= n; j++)
            if (op[i] == "HMMA" && i >= head[j] && i <= tail[j])
                uses[name, j] = 1
    }
    for (j = 1; j <= n; j++) {
        if (!((name, j) in uses))
            continue
        depth = 1
        for (k = 1; k <= n; k++)
            depth += k != j && head[k] <= head[j] && tail[k] >= tail[j]
        printf "%5d %6d", depth, count[j]
        for (k = 1; k <= kinds; k++)
            printf " %6d", of[j, kind[k]]
        print "  " name
    }
    branches = size = 0
    split("", label)
}
/^\.text\./ {
    if (size)
        flush()
    name = $1
    sub(/^\.text\./, "", name)
    sub(/:$/, "", name)
}
/^\.L_x_[0-9]+:/ {
    sub(/:/, "")
    label[$1] = size + 1
}
/^ +\/\*[0-9a-f]+\*\/ / {
    i = $2 ~ /^@/ ? 3 : 2
    op[++size] = $i
    sub(/\..*/, "", op[size])
    if (op[size] == "BRA" && match($0, /\.L_x_[0-9]+/)) {
        from[++branches] = size
        target[branches] = substr($0, RSTART, RLENGTH)
    }
}
END {
    if (size)
        flush()
}
