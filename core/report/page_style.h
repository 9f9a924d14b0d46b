// The style sheet of whole HTML documents: light and dark, for the screen and for paper.
#pragma once

namespace lowbit::report {

inline constexpr const char* kPageStyle =
    ":root{color-scheme:light dark;--line:light-dark(#d9dde1,#3a4249);--dim:light-dark(#56606a,#9aa4ae);"
    "--accent:light-dark(#0b62a8,#6ab0f3);--warn:light-dark(#8a5a00,#f2c14e);--panel:light-dark(#f6f7f8,#1c2125)}"
    "body{font:15px/1.5 system-ui,sans-serif;margin:0;background:light-dark(#fff,#111417);"
    "color:light-dark(#16191c,#e7eaed)}main{max-width:90rem;margin:0 auto;padding:1.5rem}"
    "a{color:var(--accent)}nav{margin:1rem 0 2rem}h1{font-size:1.6rem;margin:.5rem 0}"
    "h2{font-size:1.2rem;border-bottom:1px solid var(--line);margin-top:2.5rem}"
    "code,pre{font-family:ui-monospace,\"DejaVu Sans Mono\",monospace;font-size:.87em;overflow-wrap:anywhere}"
    "pre{overflow-x:auto;background:var(--panel);padding:.6rem}.wide,.lowbit-table{overflow-x:auto}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:.6rem 0}"
    "caption{text-align:left;font-weight:600;padding-bottom:.4rem}"
    "th,td{padding:.15rem .6rem;text-align:right;white-space:nowrap}"
    ".text,.model,th[scope=row],th[scope=rowgroup]{text-align:left}th[scope=row],th[scope=rowgroup]{font-weight:400}"
    "th[scope=rowgroup]{font-style:italic}thead{border-top:2px solid;border-bottom:1px solid}thead th{font-weight:600}"
    "th[scope=colgroup]{text-align:center;border-bottom:1px solid}tbody{border-bottom:1px solid}"
    "tbody:last-of-type{border-bottom:2px solid}.with{color:var(--dim);font-size:.85em;padding-left:0}"
    ".lowbit-table ul{max-width:70rem;padding-left:1.2rem;font-size:.85em;color:var(--dim)}.command{color:var(--dim)}"
    ".warning{border-left:4px solid var(--warn);padding-left:.8rem}figure{margin:1.5rem 0}"
    ".picture{max-width:100%;height:auto;background:#fff;border:1px solid var(--line)}"
    "dt{font-weight:600;margin-top:.8rem}dt "
    "code{font-weight:400;color:var(--dim)}dd{margin-left:1.2rem;max-width:70rem}"
    "blockquote{border-left:4px solid var(--accent);margin:1rem 0;padding:.3rem 1rem;background:var(--panel)}"
    "summary{cursor:pointer;color:var(--accent)}"
    "@media print{:root{color-scheme:light}main{max-width:none;padding:0}nav,details{display:none}"
    "body{font-size:10pt}.wide,.lowbit-table,pre{overflow:visible}pre{white-space:pre-wrap}"
    ".picture{max-height:16cm}table{font-size:7.5pt}th,td{padding:.1rem "
    ".3rem}th{white-space:normal}figure,tr,blockquote,dd{break-inside:avoid}"
    "h2,dt{break-after:avoid}a{color:inherit;text-decoration:none}@page{size:landscape;margin:1.2cm}}";

}  // namespace lowbit::report
