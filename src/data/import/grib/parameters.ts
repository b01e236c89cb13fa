/**
 * Parameters as ecCodes 2.50 names them: key, name in NetCDF (cfVarName), short name, units. Keys of edition 1 are numbers
 * of ECMWF's table 128; of edition 2 `discipline.category.number`, where it matters with the type of level and its value
 * (`@103:2`), and the kind of statistic over an interval (`~1`: code table 4.10). test/python/grib.test.ts compares them.
 */

export const EDITION_1 = `
1 strf strf m**2 s**-1|2 vp vp m**2 s**-1|3 pt pt K|4 eqpt eqpt K|5 sept sept K|6 ssfr ssfr (0 - 1)
7 scfr scfr (0 - 1)|8 sro sro m|9 ssro ssro m|10 ws ws m s**-1|11 udvw udvw m s**-1|12 vdvw vdvw m s**-1
13 urtw urtw m s**-1|14 vrtw vrtw m s**-1|15 aluvp aluvp (0 - 1)|16 aluvd aluvd (0 - 1)|17 alnip alnip (0 - 1)
18 alnid alnid (0 - 1)|19 uvcs uvcs J m**-2|20 parcs parcs J m**-2|21 uctp uctp K|22 ucln ucln|23 ucdv ucdv s**-1
26 cl cl (0 - 1)|27 cvl cvl (0 - 1)|28 cvh cvh (0 - 1)|29 tvl tvl (Code table 4.234)|30 tvh tvh (Code table 4.234)
31 siconc ci (0 - 1)|32 asn asn (0 - 1)|33 rsn rsn kg m**-3|34 sst sst K|35 istl1 istl1 K|36 istl2 istl2 K
37 istl3 istl3 K|38 istl4 istl4 K|39 swvl1 swvl1 m**3 m**-3|40 swvl2 swvl2 m**3 m**-3|41 swvl3 swvl3 m**3 m**-3
42 swvl4 swvl4 m**3 m**-3|43 slt slt (Code table 4.213)|44 es es m of water equivalent
45 smlt smlt m of water equivalent|46 sdur sdur s|47 dsrp dsrp J m**-2|48 magss magss N m**-2 s|49 fg10 10fg m s**-1
50 lspf lspf s|51 mx2t24 mx2t24 K|52 mn2t24 mn2t24 K|53 mont mont m**2 s**-2|54 pres pres Pa|55 mean2t24 mean2t24 K
56 mn2d24 mn2d24 K|57 uvb uvb J m**-2|58 par par J m**-2|59 cape cape J kg**-1|60 pv pv K m**2 kg**-1 s**-1
62 obct obct|63 stsktd stsktd s|64 ftsktd ftsktd s|65 sktd sktd K|66 lai_lv lai_lv m**2 m**-2
67 lai_hv lai_hv m**2 m**-2|68 msr_lv msr_lv s m**-1|69 msr_hv msr_hv s m**-1|70 bc_lv bc_lv (0 - 1)
71 bc_hv bc_hv (0 - 1)|72 issrd issrd W m**-2|73 istrd istrd W m**-2|74 sdfor sdfor m|75 crwc crwc kg kg**-1
76 cswc cswc kg kg**-1|77 etadot etadot s**-1|78 tclw tclw kg m**-2|79 tciw tciw kg m**-2|121 mx2t6 mx2t6 K
122 mn2t6 mn2t6 K|123 fg10_6 10fg6 m s**-1|124 emis emis Proportion|125 vite vite J m**-2|127 at at|128 bv bv
129 z z m**2 s**-2|130 t t K|131 u u m s**-1|132 v v m s**-1|133 q q kg kg**-1|134 sp sp Pa|135 w w Pa s**-1
136 tcw tcw kg m**-2|137 tcwv tcwv kg m**-2|138 vo vo s**-1|139 stl1 stl1 K|140 swl1 swl1 m of water equivalent
141 sd sd m of water equivalent|142 lsp lsp m|143 cp cp m|144 sf sf m of water equivalent|145 bld bld J m**-2
146 sshf sshf J m**-2|147 slhf slhf J m**-2|148 chnk chnk 1|149 snr snr J m**-2|150 tnr tnr J m**-2|151 msl msl Pa
152 lnsp lnsp 1|153 swhr swhr K|154 lwhr lwhr K|155 d d s**-1|156 gh gh gpm|157 r r %|158 tsp tsp Pa s**-1
159 blh blh m|160 sdor sdor m|161 isor isor 1|162 anor anor radians|163 slor slor 1|164 tcc tcc (0 - 1)
165 u10 10u m s**-1|166 v10 10v m s**-1|167 t2m 2t K|168 d2m 2d K|169 ssrd ssrd J m**-2|170 stl2 stl2 K
171 swl2 swl2 m of water equivalent|172 lsm lsm (0 - 1)|173 sr sr m|174 al al (0 - 1)|175 strd strd J m**-2
176 ssr ssr J m**-2|177 str str J m**-2|178 tsr tsr J m**-2|179 ttr ttr J m**-2|180 ewss ewss N m**-2 s
181 nsss nsss N m**-2 s|182 e e m of water equivalent|183 stl3 stl3 K|184 swl3 swl3 m of water equivalent
185 ccc ccc (0 - 1)|186 lcc lcc (0 - 1)|187 mcc mcc (0 - 1)|188 hcc hcc (0 - 1)|189 sund sund s|190 ewov ewov m**2
191 nsov nsov m**2|192 nwov nwov m**2|193 neov neov m**2|194 btmp btmp K|195 lgws lgws N m**-2 s
196 mgws mgws N m**-2 s|197 gwd gwd J m**-2|198 src src m of water equivalent|199 veg veg (0 - 1)|200 vso vso m**2
201 mx2t mx2t K|202 mn2t mn2t K|203 o3 o3 kg kg**-1|204 paw paw|205 ro ro m|206 tco3 tco3 kg m**-2
207 si10 10si m s**-1|208 tsrc tsrc J m**-2|209 ttrc ttrc J m**-2|210 ssrc ssrc J m**-2|211 strc strc J m**-2
212 tisr tisr J m**-2|213 vimd vimd kg m**-2|214 dhr dhr K|215 dhvd dhvd K|216 dhcc dhcc K|217 dhlc dhlc K
218 vdzw vdzw m s**-1|219 vdmw vdmw m s**-1|220 ewgd ewgd m s**-1|221 nsgd nsgd m s**-1|222 ctzw ctzw m s**-1
223 ctmw ctmw m s**-1|224 vdh vdh kg kg**-1|225 htcc htcc kg kg**-1|226 htlc htlc kg kg**-1|227 crnh crnh kg kg**-1
228 tp tp m|229 iews iews N m**-2|230 inss inss N m**-2|231 ishf ishf W m**-2|232 ie ie kg m**-2 s**-1
233 asq asq kg kg**-1|234 lsrh lsrh 1|235 skt skt K|236 stl4 stl4 K|237 swl4 swl4 m|238 tsn tsn K
239 csf csf m of water equivalent|240 lsf lsf m of water equivalent|241 acf acf (-1 to 1)|242 alw alw (-1 to 1)
243 fal fal (0 - 1)|244 fsr fsr m|245 flsr flsr 1|246 clwc clwc kg kg**-1|247 ciwc ciwc kg kg**-1|248 cc cc (0 - 1)
249 aiw aiw (-1 to 1)|250 ice ice (0 - 1)|251 atte atte K|252 athe athe kg kg**-1|253 atze atze m s**-1
254 atmw atmw m s**-1
`;

export const EDITION_2 = `
0.0.0 t t K|0.0.0@103:2 t2m 2t K|0.0.0@103:2~2 mx2t mx2t K|0.0.0@103:2~3 mn2t mn2t K|0.0.2 pt pt K
0.0.6@103:2 d2m 2d K|0.0.10~1 slhf slhf J m**-2|0.0.11 ishf ishf W m**-2|0.0.11~1 sshf sshf J m**-2|0.0.17 skt skt K
0.0.28 uctp uctp K|0.1.0 q q kg kg**-1|0.1.1 r r %|0.1.1@103:2 r2 2r %|0.1.8~1 tp tp kg m**-2
0.1.51@10 tcw tcw kg m**-2|0.1.52 tprate tprate kg m**-2 s**-1|0.1.52~1 tp tp kg m**-2|0.1.53~1 sf sf kg m**-2
0.1.60 sd sd kg m**-2|0.1.61 rsn rsn kg m**-3|0.1.64@10 tcwv tcwv kg m**-2|0.1.69@10 tclw tclw kg m**-2
0.1.70@10 tciw tciw kg m**-2|0.1.79 ie ie kg m**-2 s**-1|0.1.83 clwc clwc kg kg**-1|0.1.84 ciwc ciwc kg kg**-1
0.1.85 crwc crwc kg kg**-1|0.1.86 cswc cswc kg kg**-1|0.1.165@10~1 vimd vimd kg m**-2|0.1.193~1 tp tp m
0.1.195~1 cp cp m|0.1.196~1 lsp lsp m|0.1.197~1 es es m of water equivalent|0.1.198~1 sf sf m of water equivalent
0.1.199~1 e e m of water equivalent|0.1.201~1 csf csf m of water equivalent|0.1.202~1 lsf lsf m of water equivalent
0.1.254 sd sd m of water equivalent|0.2.1 ws ws m s**-1|0.2.1@103:10 si10 10si m s**-1|0.2.2 u u m s**-1
0.2.2@103:10 u10 10u m s**-1|0.2.2@103:100 u100 100u m s**-1|0.2.3 v v m s**-1|0.2.3@103:10 v10 10v m s**-1
0.2.3@103:100 v100 100v m s**-1|0.2.4 strf strf m**2 s**-1|0.2.5 vp vp m**2 s**-1|0.2.6 mont mont m**2 s**-2
0.2.8 w w Pa s**-1|0.2.12 vo vo s**-1|0.2.13 d d s**-1|0.2.14 pv pv K m**2 kg**-1 s**-1|0.2.20~1 bld bld J m**-2
0.2.22@103:10 i10fg i10fg m s**-1|0.2.22@103:10~2 fg10 10fg m s**-1|0.2.32 etadot etadot s**-1|0.2.45 ucdv ucdv s**-1
0.2.54 flsr flsr 1|0.2.56@103:10 u10n u10n m s**-1|0.2.57@103:10 v10n v10n m s**-1|0.2.58~1 magss magss N m**-2 s
0.2.62 iews iews N m**-2|0.2.62~1 ewss ewss N m**-2 s|0.2.63 inss inss N m**-2|0.2.63~1 nsss nsss N m**-2 s
0.3.0 sp sp Pa|0.3.0@101 msl msl Pa|0.3.1 prmsl prmsl Pa|0.3.4 z z m**2 s**-2|0.3.5 orog orog m|0.3.5@100 gh gh gpm
0.3.16~1 lgws lgws N m**-2 s|0.3.17~1 mgws mgws N m**-2 s|0.3.18 blh blh m|0.3.20 sdor sdor m|0.3.21 anor anor radians
0.3.22 slor slor 1|0.3.23~1 gwd gwd J m**-2|0.3.24 isor isor 1|0.3.25@105 lnsp lnsp 1|0.3.31 ucln ucln
0.4.4 btmp btmp K|0.4.7@8~1 tisr tisr J m**-2|0.4.7~1 ssrd ssrd J m**-2|0.4.9@8~1 tsr tsr J m**-2
0.4.9~1 ssr ssr J m**-2|0.4.10~1 par par J m**-2|0.4.11@8~1 tsrc tsrc J m**-2|0.4.11~1 ssrc ssrc J m**-2
0.4.12~1 uvb uvb J m**-2|0.4.54~1 dsrp dsrp J m**-2|0.4.60~1 parcs parcs J m**-2|0.5.3~1 strd strd J m**-2
0.5.5@8~1 ttr ttr J m**-2|0.5.5~1 str str J m**-2|0.5.6@8~1 ttrc ttrc J m**-2|0.5.6~1 strc strc J m**-2
0.6.1@10 tcc tcc %|0.6.3 lcc lcc %|0.6.4 mcc mcc %|0.6.5 hcc hcc %|0.6.24~1 sund sund s|0.6.32 cc cc (0 - 1)
0.6.36~1 lspf lspf s|0.6.192@10 tcc tcc (0 - 1)|0.6.193 lcc lcc (0 - 1)|0.6.194 mcc mcc (0 - 1)
0.6.195 hcc hcc (0 - 1)|0.7.6@10 cape cape J kg**-1|0.14.1 o3 o3 kg kg**-1|0.14.192@10 tco3 tco3 kg m**-2
0.19.46@8~1 tnr tnr J m**-2|0.19.46~1 snr snr J m**-2|0.19.192 asn asn (0 - 1)|0.19.193 fal fal (0 - 1)
1.2.2 cl cl (0 - 1)|2.0.0 lsm lsm (0 - 1)|2.0.1 fsr fsr m|2.0.25 vsw vsw m**3 m**-3|2.0.53 cvl cvl (0 - 1)
2.0.54 cvh cvh (0 - 1)|2.0.55 lai_lv lai_lv m**2 m**-2|2.0.56 lai_hv lai_hv m**2 m**-2
2.0.57 tvl tvl (Code table 4.234)|2.0.58 tvh tvh (Code table 4.234)|2.0.62 emis emis Proportion|2.0.201~1 ro ro m
2.0.202~1 sro sro m|2.0.203~1 smlt smlt m of water equivalent|2.0.204~1 ssro ssro m
2.0.205 src src m of water equivalent|2.3.0 slt slt (Code table 4.213)|2.3.28 tsn tsn K|10.0.76 chnk chnk 1
10.2.0 siconc ci (0 - 1)|10.3.0 sst sst K
`;
