// Prints the fields of the runtime's structs that we read as a program's own DWARF has them:
// {"runtime.g": {"goid": {"offset": 8, "type": "uint64"}}}.
package main

import (
	"debug/dwarf"
	"debug/elf"
	"encoding/json"
	"fmt"
	"log"
	"os"
)

type field struct {
	Offset int64  `json:"offset"`
	Type   string `json:"type"`
}

func main() {
	file, err := elf.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	data, err := file.DWARF()
	if err != nil {
		log.Fatal(err)
	}
	structs := map[string]map[string]field{
		"runtime.gcControllerState": nil, "runtime.g": nil, "runtime.workType": nil, "runtime.gcCPULimiterState": nil,
	}
	for reader := data.Reader(); ; {
		entry, err := reader.Next()
		if err != nil {
			log.Fatal(err)
		}
		if entry == nil {
			break
		}
		name, _ := entry.Val(dwarf.AttrName).(string)
		if _, wanted := structs[name]; !wanted || entry.Tag != dwarf.TagStructType {
			continue
		}
		typ, err := data.Type(entry.Offset)
		if err != nil {
			log.Fatal(err)
		}
		structs[name] = map[string]field{}
		for _, f := range typ.(*dwarf.StructType).Field {
			structs[name][f.Name] = field{f.ByteOffset, scalar(f.Type)}
		}
	}
	for name, fields := range structs {
		if fields == nil {
			log.Fatal("no ", name)
		}
	}
	json.NewEncoder(os.Stdout).Encode(structs)
}

// scalar looks through typedefs and the atomic wrappers to the machine type.
func scalar(typ dwarf.Type) string {
	switch t := typ.(type) {
	case *dwarf.UintType:
		return fmt.Sprintf("uint%d", 8*t.ByteSize)
	case *dwarf.IntType:
		return fmt.Sprintf("int%d", 8*t.ByteSize)
	case *dwarf.TypedefType:
		return scalar(t.Type)
	case *dwarf.StructType:
		for _, f := range t.Field {
			if f.Name == "value" || f.Name == "u" {
				return scalar(f.Type)
			}
		}
	}
	return typ.String()
}
