/** How the page looks, by day and by night. */
export const style = `
:root{--ground:#f6f7f9;--card:#fff;--ink:#1d2430;--soft:#5d6878;--line:#e1e5eb;--ok:#1f8a5b;--bad:#c93a2e;--blue:#2f6fc4}
@media(prefers-color-scheme:dark){:root{--ground:#12161c;--card:#1a2029;--ink:#e4e9f0;--soft:#98a4b5;--line:#2c3542;--ok:#4cc38a;--bad:#f2695c;--blue:#7db1f5}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1180px;margin:0 auto;padding:28px 20px 60px}
header,section:not(.grid),figure{background:var(--card);border:1px solid var(--line);border-radius:12px}
header{padding:22px 26px;border-left:6px solid var(--ok)}header.failed{border-left-color:var(--bad)}header.stopped{border-left-color:var(--soft)}
h1{margin:0 0 4px;font-size:24px}h2{margin:0 0 10px;font-size:17px}
.verdict{display:inline-block;padding:1px 12px;margin-right:8px;border-radius:99px;background:var(--ok);color:var(--card);font-size:17px}
.failed .verdict{background:var(--bad)}.stopped .verdict{background:var(--soft)}
header p{margin:4px 0;color:var(--soft)}code{font:13px ui-monospace,SFMono-Regular,Menlo,monospace;color:var(--ink);overflow-wrap:anywhere}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:14px;margin:18px 0 0}
.tiles div{border-top:1px solid var(--line);padding-top:8px}.tiles dd{margin:0;font-size:26px;font-weight:600;font-variant-numeric:tabular-nums}.tiles dt{color:var(--soft)}
section:not(.grid){padding:18px 22px;margin-top:18px}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,480px),1fr));gap:18px;margin-top:18px}
figure{margin:0;padding:14px 16px 6px}section figure{border:0;padding:0 0 12px}.grid figure{border:1px solid var(--line);padding:14px 16px 6px}
figcaption{color:var(--soft);margin-bottom:6px}figcaption b{color:var(--ink)}svg{display:block;width:100%;height:auto}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:6px 10px;border-top:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:500;border-top:0}td.n,th:not(:first-child){text-align:right;font-variant-numeric:tabular-nums}small{color:var(--soft)}
.ok{color:var(--ok)}.bad{color:var(--bad)}.reasons{border-left:6px solid var(--bad)!important}.reasons li{margin:3px 0;overflow-wrap:anywhere}
.filter{display:flex;gap:18px;flex-wrap:wrap;align-items:center;margin:0 0 10px;color:var(--soft)}
input[type=search]{font:inherit;color:inherit;background:var(--ground);border:1px solid var(--line);border-radius:8px;padding:4px 10px;min-width:280px}
details{border-top:1px solid var(--line)}summary{cursor:pointer;padding:6px 4px;display:flex;gap:10px;align-items:center;flex-wrap:wrap}summary:hover{background:var(--ground)}
.number{font-variant-numeric:tabular-nums;color:var(--soft);min-width:34px;text-align:right}.tag{font-size:12px;padding:0 8px;border:1px solid var(--line);border-radius:99px;color:var(--soft)}
.fault{color:var(--blue);border-color:var(--blue)}.ms{margin-left:auto;color:var(--soft);font-variant-numeric:tabular-nums}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:4px 0 6px 34px}.facts dt{color:var(--soft)}.facts dd{margin:0;overflow-wrap:anywhere}
.checks{margin:4px 0 12px 34px;padding:0;list-style:none;columns:2 340px}.checks li{overflow-wrap:anywhere;break-inside:avoid}
`
