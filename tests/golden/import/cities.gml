Creator "written by hand"
graph [
  Network "S&#252;dring & more"
  node [ id 1 label "Z&#252;rich" Country "Switzerland" Longitude 8.55 Latitude 47.36667 ]
  node [ id 2 label "São Paulo, SP" Longitude -46.63611 Latitude -23.5475 ]
  node [ id 5 label "Łódź" Country "Poland" ]
  node [ id 3 label "None" Internal 0 ]
  node [ id 4 label "None" Internal 0 colour "red" ]
  node [ id 6 label "IX" hyperedge 1 ]
  edge [ source 1 target 2 LinkLabel "34 Mbps E3" LinkSpeed "34" LinkSpeedUnits "M" ]
  edge [ source 1 target 2 LinkLabel "a second one" weight 3 ]
  edge [ source 5 target 6 ]
  edge [ source 1 target 6 ]
  edge [ source 3 target 6 ]
  edge [ source 3 target 4 LinkSpeedRaw 1e12 ]
  edge [ source 4 target 4 ]
]
