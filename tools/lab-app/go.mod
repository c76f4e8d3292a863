module zerotoil/tools/lab-app

go 1.24.0
