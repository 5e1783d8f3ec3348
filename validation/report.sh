#!/bin/sh
# report.sh - the report's page in a browser: nothing is wider than a phone, no
# text is clipped or too pale, no script, no network, light and dark.
#
# Part of `make validate`.  Wants Chromium (or $CHROMIUM); where there is none
# it is skipped.  A browser loads the page into frames of 390 and 1280 pixels
# and a script beside them measures.
. "$SRCDIR/validation/lib.sh"
for try in ${CHROMIUM-chromium chromium-browser google-chrome}; do
    browser=$(command -v "$try") && break
done
[ -n "$browser" ] || skip_all "no Chromium here"

sed -e "s#@/#$SRCDIR/inputs/mini/#g" -e 's/"import"/"import limit=12"/' \
    -e 's/"import files/"import limit=8 files/' \
    -e 's/"generate"/"generate n=2"/' \
    "$SRCDIR/inputs/mini/mini.cfg" >small.cfg
ok "a small run" on_ranks 1 "$SEXTANT" pipeline small.cfg -o run
page=run/report.html
ok "has a page" test -s $page
ok "without scripts and references" \
    sh -c "! grep -Ei '<script|<link|src=|href=|url\(|@import|https?:' $page"

# What looks at the page.
cat >look.html <<'END'
<pre id="found"></pre>
<script>
const light = c => {
    const f = c.match(/[0-9.]+/g).slice(0, 3).map(x => x / 255)
        .map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2];
};
const contrast = (a, b) => {
    const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
};
function look(frame) {
    const w = frame.contentWindow, d = w.document, say = [];
    const paper = w.getComputedStyle(d.body).backgroundColor;
    const dark = w.matchMedia("(prefers-color-scheme: dark)").matches;
    const fault = (what, e) => say.push("FAULT " + frame.width + " " + what +
        ": " + (e.textContent || e.tagName).slice(0, 40));
    if (d.documentElement.scrollWidth > frame.width)
        fault("the page is wider than its window", d.body);
    if (w.performance.getEntriesByType("resource").length > 0)
        fault("it loads something", d.body);
    for (const t of d.querySelectorAll("svg text")) {
        const own = t.getBoundingClientRect();
        const box = t.closest("svg").getBoundingClientRect();
        if (own.width > 0 && (own.left < box.left - 1 || own.right > box.right + 1))
            fault("text is clipped", t);
        if (own.width > 0 && own.height < 10)
            fault("text is small", t);
        if (contrast(w.getComputedStyle(t).fill, paper) < 4.5)
            fault("text is pale", t);
    }
    for (const t of d.querySelectorAll("p,h1,h2,th,td,figcaption"))
        if (contrast(w.getComputedStyle(t).color, paper) < 4.5)
            fault("text is pale", t);
    for (const f of d.querySelectorAll("figure")) {
        const boxes = [...f.querySelectorAll("text")]
            .map(t => [t, t.getBoundingClientRect()]).filter(b => b[1].width > 0);
        boxes.forEach(([t, a], i) => boxes.slice(0, i).forEach(([u, b]) => {
            if (a.left < b.right - 1 && b.left < a.right - 1 &&
                a.top < b.bottom - 3 && b.top < a.bottom - 3)
                fault("texts overlap", t);
        }));
    }
    say.push("LOOKED at " + frame.width + (dark ? " dark " : " light ") +
        d.querySelectorAll("figure").length + " pictures");
    return say;
}
addEventListener("load", () => {
    document.getElementById("found").textContent =
        [...document.querySelectorAll("iframe")].flatMap(look).join("\n");
});
</script>
END

# frames PAGE: the page in a frame of each width, and who looks at it.
frames() {
    echo '<!DOCTYPE html><meta charset="utf-8">'
    for width in 390 1280; do
        printf '<iframe width="%s" height="800" srcdoc="' $width
        sed -e 's/&/\&amp;/g' -e 's/"/\&quot;/g' "$1"
        echo '"></iframe>'
    done
    cat look.html
}

# look PAGE NAME NUMBER: what is found, into NAME.txt; the number is
# Chromium's of the colour scheme.
look() {
    frames "$1" >frames.html
    timeout 120 "$browser" --headless --no-sandbox --disable-gpu \
        --user-data-dir="$tap_dir/profile" --window-size=1700,900 \
        --host-resolver-rules='MAP * ~NOTFOUND' --enable-logging=stderr \
        --blink-settings=preferredColorScheme="$3" --virtual-time-budget=5000 \
        --dump-dom "file://$tap_dir/frames.html" >dom 2>"$2.err"
    sed -n '/<pre id="found">/,/<\/pre>/p' dom |
        sed -e 's/.*<pre id="found">//' -e 's/<\/pre>.*//' >"$2.txt"
}
look $page light 1
look $page dark 0
for scheme in light dark; do
    for width in 390 1280; do
        ok "$scheme, $width pixels: it is shown" \
            grep "LOOKED at $width $scheme [1-9]" $scheme.txt
    done
    grep FAULT $scheme.txt >faults
    sed 's/^/# /' faults
    ok "$scheme: all of it can be read" test ! -s faults
    ok "$scheme: no error in the console" \
        sh -c "! grep -i 'CONSOLE.*error' $scheme.err"
done

# The measure can fail.
sed -e 's/max-width:62rem/width:70rem/' -e 's/--soft:#5d6975/--soft:#bbbbbb/' \
    $page >bad.html
look bad.html bad 1
ok "a page that is too wide is found" \
    grep "FAULT 390 the page is wider" bad.txt
ok "and pale text" grep "FAULT 1280 text is pale" bad.txt
done_testing
